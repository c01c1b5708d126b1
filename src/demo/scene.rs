//! The scene: ann at her chat client and bob at his phone see each other, write to each other and leave.

use std::future::Future;
use std::time::{Duration, Instant};

use sip::dialog::Dialog;
use sip::{Method, Request, Uri};
use tokio_xmpp::jid::{BareJid, Jid};
use xmpp_parsers::message::{Lang, Message};
use xmpp_parsers::presence::{Presence, Show, Type};
use xmpp_parsers::roster::Subscription;

use super::chat::Chat;
use super::phone::{LIFETIME, Phone};
use super::pidf;
use super::print::{Actor, Page, took};
use super::stage::Stage;
use super::trust::Trust;
use crate::cli::Failure;
use crate::server::admin::Wish;

/// Within this each step must have happened.
const DEADLINE: Duration = Duration::from_secs(10);
/// For the reader's eye.
const PAUSE: Duration = Duration::from_millis(500);

/// The players, once both are there.
struct Players<'a> {
    page: &'a Page,
    stage: &'a Stage,
    chat: Chat,
    phone: Phone,
    /// Bob as ann's client knows him.
    bob: BareJid,
    /// Ann as bob's phone knows her.
    ann: Uri,
}

/// Plays it from the first step to the last. What does not happen within the deadline ends it.
pub(super) async fn play(page: &Page, stage: &Stage) -> Result<(), Failure> {
    let mut players = Box::pin(arrive(page, stage)).await?;
    players.acquaint().await?;
    let watch = players.watch().await?;
    let publication = players.phone_call().await?;
    players.going_away().await?;
    players.talk().await?;
    Box::pin(players.leave(&publication, watch)).await
}

/// Runs a step; the sentence of one that fails says which it was.
async fn step<T, E: ToString>(
    what: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    let why = match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing came within {} s", DEADLINE.as_secs()),
    };
    Err(Failure::failed(format!(
        "The demo stopped where {what}: {why}."
    )))
}

async fn arrive<'a>(page: &'a Page, stage: &'a Stage) -> Result<Players<'a>, Failure> {
    let what = "ann's chat client logs in";
    let unusable = |error: &dyn ToString| format!("{} is unusable", error.to_string());
    let pem = std::fs::read_to_string(&stage.authority).map_err(|e| e.to_string());
    let made = pem.and_then(|pem| Trust::new(stage.xmpp_tls, &pem));
    let trust = step(what, async { made }).await?;
    let account = Jid::new(&format!("{}/chat", stage.ann.address)).map_err(|e| unusable(&e));
    let account = step(what, async { account }).await?;
    let log_in = Chat::log_in(account, &stage.ann.password, &trust);
    let mut chat = step(what, log_in).await?;
    step(what, async {
        chat.contacts().await?;
        chat.send(Presence::available()).await
    })
    .await?;
    page.step(
        Actor::Ann,
        "logs in, is available",
        "TLS, SCRAM, <presence/>",
    )?;

    let what = "bob's phone registers";
    let mut phone = step(
        what,
        Phone::new(stage.sip_udp, &stage.bob.address, &stage.bob.password),
    )
    .await?;
    step(what, phone.register(LIFETIME)).await?;
    page.step(Actor::Bob, "registers", "REGISTER, 401, REGISTER, 200")?;
    let bob = BareJid::new(&stage.bob.address).map_err(|e| unusable(&e));
    let ann = Uri::parse(&format!("sip:{}", stage.ann.address)).map_err(|e| unusable(&e));
    let (bob, ann) = step(what, async { Ok::<_, String>((bob?, ann?)) }).await?;
    Ok(Players {
        page,
        stage,
        chat,
        phone,
        bob,
        ann,
    })
}

impl Players<'_> {
    /// Ann asks to see bob; he has only a phone, so the answer is given for him.
    async fn acquaint(&mut self) -> Result<(), Failure> {
        let bob = self.bob.clone();
        step("ann adds bob to her contacts", async {
            self.chat
                .send(Presence::subscribe().with_to(bob.clone()))
                .await?;
            self.chat
                .contact_changed(|list| list.items.iter().any(|item| item.jid == bob))
                .await
        })
        .await?;
        let asked = "<presence type=\"subscribe\"/>";
        self.page.step(Actor::Ann, "asks to see bob", asked)?;
        let what = "bob lets ann see him";
        let wish = Wish::Answer {
            jid: self.stage.bob.address.clone(),
            watcher: self.stage.ann.address.clone(),
            allow: true,
        };
        step(what, self.stage.ask(wish)).await?;
        let seen = |item: &xmpp_parsers::roster::Item| {
            item.jid == bob && matches!(item.subscription, Subscription::To | Subscription::Both)
        };
        step(
            what,
            self.chat
                .contact_changed(|list| list.items.iter().any(seen)),
        )
        .await?;
        let command = "adsum user approve";
        self.page.step(
            Actor::Admin,
            "says yes for bob, who has only a phone",
            command,
        )?;
        pause().await;
        Ok(())
    }

    /// Bob talks on the phone; ann sees it. Returns the entity tag of the publication.
    async fn phone_call(&mut self) -> Result<String, Failure> {
        let begun = Instant::now();
        let document = pidf::on_the_phone(self.phone.account().as_str(), "On the phone");
        let answer = step(
            "bob's phone publishes that he is on the phone",
            self.phone.publish(Some(document), None),
        )
        .await?;
        let tag = answer.headers.sip_etag().unwrap_or_default().to_owned();
        self.page
            .step(Actor::Bob, "is on the phone", "PUBLISH with PIDF, 200")?;
        let bob = self.bob.clone();
        let busy =
            |presence: &Presence| is_from(presence, &bob) && presence.show == Some(Show::Dnd);
        let seen = step("ann sees bob busy", self.chat.presence(busy)).await?;
        let note = seen.statuses.values().next().cloned().unwrap_or_default();
        let resource = resource(&seen);
        self.page.step(
            Actor::Ann,
            &format!("sees bob: busy, \"{note}\""),
            &format!("<show>dnd</show> of {resource}, {}", took(begun.elapsed())),
        )?;
        pause().await;
        Ok(tag)
    }

    /// Bob's phone watches ann: colleagues of one domain may, unless it is configured otherwise.
    async fn watch(&mut self) -> Result<Dialog, Failure> {
        let ann = self.ann.clone();
        let what = "bob's phone subscribes to ann";
        let watch = step(what, self.phone.subscribe(&ann)).await?;
        let seen = step(what, self.told(|shown| shown == "available")).await?;
        self.page.step(
            Actor::Bob,
            &format!("watches ann: {seen}"),
            "SUBSCRIBE, 200, NOTIFY with PIDF",
        )?;
        pause().await;
        Ok(watch)
    }

    /// Ann goes away with a note; the phone shows it.
    async fn going_away(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut away = Presence::available().with_show(Show::Away);
        away.set_status(String::new(), "Back at three".to_owned());
        step("ann goes away", self.chat.send(away)).await?;
        self.page.step(
            Actor::Ann,
            "goes away, with a note",
            "<show>away</show>, <status/>",
        )?;
        let away = |shown: &str| shown == "away, \"Back at three\"";
        let seen = step("bob's phone sees ann away", self.told(away)).await?;
        self.page.step(
            Actor::Bob,
            &format!("sees ann: {seen}"),
            &format!("NOTIFY, {}", took(begun.elapsed())),
        )?;
        pause().await;
        Ok(())
    }

    /// Waits until the phone is told something that looks so.
    async fn told(&mut self, fits: impl Fn(&str) -> bool) -> Result<String, String> {
        loop {
            let request = self.request(&Method::Notify).await?;
            let read = documents::pidf::read(&request.body).map_err(|e| e.to_string())?;
            let shown = pidf::shown(&read.document);
            if fits(&shown) {
                return Ok(shown);
            }
        }
    }

    async fn request(&mut self, method: &Method) -> Result<Request, String> {
        loop {
            let request = self.phone.next().await.map_err(|e| e.to_string())?;
            if request.method == *method && !request.body.is_empty() {
                return Ok(request);
            }
        }
    }

    /// A message each way.
    async fn talk(&mut self) -> Result<(), Failure> {
        let (question, answer) = ("Coffee at three?", "Gladly.");
        let message = Message::chat(Jid::from(self.bob.clone()))
            .with_body(Lang(String::new()), question.to_owned());
        let begun = Instant::now();
        step("ann writes to bob", self.chat.send(message)).await?;
        let write = format!("writes \"{question}\"");
        self.page.step(Actor::Ann, &write, "<message/>")?;
        let request = step("bob's phone gets it", self.request(&Method::Message)).await?;
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let wire = format!("MESSAGE, {}", took(begun.elapsed()));
        self.page
            .step(Actor::Bob, &format!("shows \"{text}\""), &wire)?;
        pause().await;
        let ann = self.ann.clone();
        let begun = Instant::now();
        step("bob's phone answers", self.phone.write(&ann, answer)).await?;
        let write = format!("writes \"{answer}\"");
        self.page.step(Actor::Bob, &write, "MESSAGE, 200")?;
        let (_, text) = step("ann gets the answer", self.chat.message()).await?;
        let wire = format!("<message/>, {}", took(begun.elapsed()));
        self.page
            .step(Actor::Ann, &format!("shows \"{text}\""), &wire)?;
        pause().await;
        Ok(())
    }

    /// Bob's phone leaves and ann sees it; then she leaves.
    async fn leave(mut self, publication: &str, mut watch: Dialog) -> Result<(), Failure> {
        let what = "bob's phone leaves";
        let over = Duration::ZERO;
        step(what, self.phone.refresh(&mut watch, over)).await?;
        step(what, self.phone.publish(None, Some(publication))).await?;
        let begun = Instant::now();
        step(what, self.phone.register(over)).await?;
        let wire = "SUBSCRIBE, PUBLISH, REGISTER for 0 s";
        self.page.step(Actor::Bob, "leaves", wire)?;
        let bob = self.bob.clone();
        let gone =
            |presence: &Presence| is_from(presence, &bob) && presence.type_ == Type::Unavailable;
        step("ann sees bob gone", self.chat.presence(gone)).await?;
        let wire = format!("type=\"unavailable\", {}", took(begun.elapsed()));
        self.page.step(Actor::Ann, "sees bob: offline", &wire)?;
        step("ann leaves", self.chat.leave()).await?;
        self.page.step(Actor::Ann, "leaves", "</stream:stream>")
    }
}

fn is_from(presence: &Presence, contact: &BareJid) -> bool {
    presence
        .from
        .as_ref()
        .is_some_and(|from| from.to_bare() == *contact)
}

fn resource(presence: &Presence) -> String {
    let from = presence.from.as_ref();
    from.and_then(|from| from.resource())
        .map(ToString::to_string)
        .unwrap_or_default()
}

async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

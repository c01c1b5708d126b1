//! Pictures, in nodes, cards and presence: after the rules and the error cases of XEP-0398, XEP-0084 and XEP-0153.

use ::xml::Element;

use super::person::{error, inner};
use super::{Chat, World, address};

const DATA: &str = "urn:xmpp:avatar:data";
const METADATA: &str = "urn:xmpp:avatar:metadata";
const UPDATE: &str = "vcard-temp:x:update";
const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// SHA-1 of `abc` and of `xyz`.
const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
const XYZ: &str = "66b27417d37e024c46526c2f6d358a754fc552f3";
const NO_CARD: &str = "<vCard xmlns='vcard-temp'/>";
const ANN: Option<&str> = Some("ann@office.example");

struct Office {
    world: World,
    ann: Chat,
    /// Wants to be told of pictures.
    bob: Chat,
}

fn office() -> Office {
    let mut world = World::open(&["ann", "bob", "eve"]);
    world.befriend("ann", "bob");
    let ann = Chat::online(&mut world, "ann", "desk");
    let mut bob = Chat::online(&mut world, "bob", "desk");
    bob.wants(&mut world, &[METADATA]);
    bob.read();
    ann.read();
    Office { world, ann, bob }
}

fn card(inner: &str) -> String {
    format!("<vCard xmlns='vcard-temp'>{inner}</vCard>")
}

fn photo(binval: &str) -> String {
    format!("<PHOTO><TYPE>image/png</TYPE><BINVAL>{binval}</BINVAL></PHOTO>")
}

fn info(id: &str) -> String {
    format!("<info bytes='3' id='{id}' type='image/png'/>")
}

impl Office {
    fn set_card(&mut self, inner: &str) {
        let answer = self.ann.ask(&mut self.world, "set", None, &card(inner));
        assert_eq!(answer.attribute("type").as_deref(), Some("result"));
    }

    /// The card as its owner sees it.
    fn card(&mut self) -> String {
        inner(&self.ann.ask(&mut self.world, "get", None, NO_CARD))
    }

    fn pubsub(&mut self, request: &str) -> Element {
        let request = format!("<pubsub xmlns='{PUBSUB}'>{request}</pubsub>");
        self.ann.ask(&mut self.world, "set", None, &request)
    }

    fn data(&mut self, id: &str, base64: &str) {
        let item = format!("<item id='{id}'><data xmlns='{DATA}'>{base64}</data></item>");
        inner(&self.pubsub(&format!("<publish node='{DATA}'>{item}</publish>")));
    }

    fn metadata(&mut self, id: &str, infos: &str) {
        let item =
            format!("<item id='{id}'><metadata xmlns='{METADATA}'>{infos}</metadata></item>");
        inner(&self.pubsub(&format!("<publish node='{METADATA}'>{item}</publish>")));
    }

    fn items(&mut self, node: &str) -> Element {
        let request = format!("<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>");
        self.bob.ask(&mut self.world, "get", ANN, &request)
    }

    /// The names of the pictures that Bob is told of, and those that he sees in presence.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        let (mut named, mut shown) = (Vec::new(), Vec::new());
        for stanza in self.bob.read() {
            if stanza.name() == "presence" {
                shown.extend(hash(&stanza));
            } else if let Some(event) = stanza.child("event", &format!("{PUBSUB}#event")) {
                let items = event.children().next().unwrap();
                let item = items.children().next();
                let metadata = item.as_ref().and_then(|i| i.children().next());
                let info = metadata.and_then(|m| m.children().next());
                let id = info.and_then(|i| i.attribute("id").map(std::borrow::Cow::into_owned));
                named.push(id.unwrap_or_else(|| "none".to_owned()));
            }
        }
        (named, shown)
    }
}

/// What a presence says of a picture: nothing, that there is none, or its hash.
fn hash(presence: &Element) -> Option<String> {
    let all: Vec<_> = presence.children().filter(|c| c.is("x", UPDATE)).collect();
    assert!(all.len() < 2, "it is said once: {presence:?}");
    let photo = all.first()?.child("photo", UPDATE);
    Some(photo.map_or_else(|| "unready".to_owned(), |p| p.text().into_owned()))
}

fn says(named: &[&str], shown: &[&str]) -> (Vec<String>, Vec<String>) {
    let all = |what: &[&str]| what.iter().map(|&w| w.to_owned()).collect();
    (all(named), all(shown))
}

#[test]
fn a_picture_in_a_card_is_published() {
    let mut office = office();
    office.set_card(&format!("<FN>Ann</FN>{}", photo("YW\nJj")));
    assert_eq!(office.told(), says(&[ABC], &[ABC]));
    let items = format!("{:?}", office.items(DATA));
    assert!(items.contains(ABC) && items.contains(">YWJj<"), "{items}");
    let metadata = inner(&office.items(METADATA));
    assert!(metadata.contains("bytes='3'") && metadata.contains("type='image/png'"));
    // Everybody may read cards, so everybody may read that.
    let mut eve = Chat::online(&mut office.world, "eve", "desk");
    let request = format!("<pubsub xmlns='{PUBSUB}'><items node='{DATA}'/></pubsub>");
    inner(&eve.ask(&mut office.world, "get", ANN, &request));
    // The same picture in another card is no news; another one is.
    office.set_card(&format!("<FN>Ann Other</FN>{}", photo("YWJj")));
    assert_eq!(office.told(), says(&[], &[]));
    office.set_card(&photo("eHl6"));
    assert_eq!(office.told(), says(&[XYZ], &[XYZ]));
    // Without a picture there is none anywhere.
    office.set_card("<FN>Ann</FN>");
    assert_eq!(office.told(), says(&["none"], &[""]));
    office.set_card("<FN>Ann O.</FN>");
    assert_eq!(office.told(), says(&[], &[]));
}

#[test]
fn a_published_picture_is_in_the_card() {
    let mut office = office();
    office.set_card("<FN>Ann</FN>");
    office.data(ABC, "YWJj");
    assert_eq!(office.card(), card("<FN>Ann</FN>"));
    office.metadata(ABC, &info(ABC));
    assert_eq!(office.told(), says(&[ABC], &[ABC]));
    let with = card(&format!("<FN>Ann</FN>{}", photo("YWJj")));
    assert_eq!(office.card(), with);
    // It can be found by what else the card says still.
    let wanted = presence::directory::Wanted::default();
    let found = office
        .world
        .model
        .directory("office.example", &wanted)
        .unwrap();
    assert!(found.iter().any(|entry| entry.facts.name == "Ann"));
    // The card is given back by a client that knows nothing of all this.
    office.set_card(&with["<vCard xmlns='vcard-temp'>".len()..with.len() - "</vCard>".len()]);
    assert_eq!(office.told(), says(&[], &[]));
    // No picture any more.
    office.metadata("x", "");
    assert_eq!(office.told(), says(&["none"], &[""]));
    assert_eq!(office.card(), card("<FN>Ann</FN>"));
}

#[test]
fn of_several_pictures_the_one_that_is_here() {
    let mut office = office();
    office.data(ABC, "YWJj");
    let elsewhere =
        format!("<info id='{XYZ}' bytes='3' type='image/png' url='http://x.example/'/>");
    office.metadata(ABC, &format!("{elsewhere}{}{}", info(XYZ), info(ABC)));
    assert_eq!(office.card(), card(&photo("YWJj")));
    // One that is elsewhere alone changes nothing in the card.
    office.metadata(XYZ, &elsewhere);
    assert_eq!(office.card(), card(&photo("YWJj")));
    // The node is gone, and with it the picture; nothing else was in the card.
    inner(&office.ann.ask(
        &mut office.world,
        "set",
        None,
        &format!("<pubsub xmlns='{PUBSUB}#owner'><delete node='{METADATA}'/></pubsub>"),
    ));
    assert_eq!(office.card(), NO_CARD);
}

#[test]
fn what_is_no_picture_is_left_where_it_is() {
    let mut office = office();
    office.set_card(&photo("YWJj"));
    office.told();
    // A hash of another picture; no base64; a name that leads nowhere.
    office.data(XYZ, "YWJj");
    office.metadata(XYZ, &info(XYZ));
    office.data(XYZ, "%%%");
    office.metadata("0", &info("0"));
    assert_eq!(office.card(), card(&photo("YWJj")));
    assert_eq!(office.told().1, Vec::<String>::new());
    // The other way round: the card is kept as it is written, and what is published stays.
    office.data(ABC, "YWJj");
    office.metadata(ABC, &info(ABC));
    office.told();
    for bad in [
        photo("%%%"),
        "<PHOTO><EXTVAL>http://x.example/</EXTVAL></PHOTO>".to_owned(),
    ] {
        office.set_card(&bad);
        assert_eq!(office.card(), card(&bad));
        assert!(inner(&office.items(METADATA)).contains(ABC));
    }
    assert_eq!(office.told().0, Vec::<String>::new());
    // Of two in a card the first that is one.
    office.set_card(&format!("{}{}", photo("%%%"), photo("eHl6")));
    assert_eq!(office.told(), says(&[XYZ], &[XYZ]));
}

#[test]
fn a_picture_that_has_no_room_on_one_side_is_on_the_other() {
    let mut office = office();
    office.set_card("<FN>Ann</FN>");
    // It fits into an item, but not into a card with all that is around it there.
    let base64 = "BwcH".repeat(49_130);
    let id = "a9f60c5527031ca16fa87c0e95cc21ff53378722";
    office.data(id, &base64);
    office.metadata(id, &info(id));
    assert!(!office.card().contains("PHOTO"));
    assert_eq!(office.told().0, [id]);
    // No room for more nodes: the card is kept all the same.
    let mut world = World::open(&["ann"]);
    let mut ann = Chat::online(&mut world, "ann", "desk");
    for n in 0..200 {
        let create = format!("<pubsub xmlns='{PUBSUB}'><create node='n{n}'/></pubsub>");
        inner(&ann.ask(&mut world, "set", None, &create));
    }
    inner(&ann.ask(&mut world, "set", None, &card(&photo("YWJj"))));
    assert_eq!(
        inner(&ann.ask(&mut world, "get", None, NO_CARD)),
        card(&photo("YWJj"))
    );
    let items = format!("<pubsub xmlns='{PUBSUB}'><items node='{DATA}'/></pubsub>");
    assert_eq!(
        error(&ann.ask(&mut world, "get", None, &items)),
        "item-not-found"
    );
}

#[test]
fn whom_a_node_does_not_show_a_picture_the_card_does_not_either() {
    let mut office = office();
    office.set_card("<FN>Ann</FN>");
    office.data(ABC, "YWJj");
    office.metadata(ABC, &info(ABC));
    let with = card(&format!("<FN>Ann</FN>{}", photo("YWJj")));
    let read = |chat: &mut Chat, world: &mut World| inner(&chat.ask(world, "get", ANN, NO_CARD));
    assert_eq!(read(&mut office.bob, &mut office.world), with);
    let mut eve = Chat::online(&mut office.world, "eve", "desk");
    assert_eq!(read(&mut eve, &mut office.world), card("<FN>Ann</FN>"));
}

#[test]
fn presence_says_which_picture_unless_the_client_does() {
    let mut office = office();
    office.set_card(&photo("YWJj"));
    office.told();
    let own = |inner: &str| format!("<presence><x xmlns='{UPDATE}'>{inner}</x></presence>");
    for (presence, shown) in [
        ("<presence><show>away</show></presence>".to_owned(), ABC),
        (own(""), ABC),
        (own("<photo/>"), ""),
        (own("<photo>0815</photo>"), "0815"),
    ] {
        office.ann.send(&mut office.world, &presence);
        assert_eq!(office.told().1, [shown], "{presence}");
    }
    // The client says it: the server has nothing to say when the picture changes.
    office.set_card(&photo("eHl6"));
    assert_eq!(office.told(), says(&[XYZ], &[]));
    // Directed presence too, also to strangers.
    let eve = Chat::online(&mut office.world, "eve", "desk");
    eve.read();
    let directed = "<presence to='eve@office.example'/>";
    office.ann.send(&mut office.world, directed);
    let hashes: Vec<_> = eve.read().iter().map(hash).collect();
    assert_eq!(hashes, [Some(XYZ.to_owned())]);
    office.ann.send(
        &mut office.world,
        "<presence to='eve@office.example' type='unavailable'/>",
    );
    assert_eq!(eve.read().iter().map(hash).collect::<Vec<_>>(), [None]);
    // Who comes later sees it in what is shown then.
    office.ann.send(&mut office.world, "<presence/>");
    office.told();
    let late = Chat::online(&mut office.world, "bob", "late");
    let of_ann = |s: &Element| {
        s.attribute("from")
            .is_some_and(|f| f.starts_with(&address("ann")))
    };
    let seen: Vec<_> = late.read().iter().filter(|s| of_ann(s)).map(hash).collect();
    assert_eq!(seen, [Some(XYZ.to_owned())]);
}

#[test]
fn an_account_without_picture_says_nothing() {
    let mut office = office();
    office.ann.send(&mut office.world, "<presence/>");
    let seen: Vec<_> = office.bob.read().iter().map(hash).collect();
    assert_eq!(seen, [None]);
    let query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let answer = office.ann.ask(&mut office.world, "get", ANN, query);
    assert!(inner(&answer).contains("urn:xmpp:pep-vcard-conversion:0"));
}

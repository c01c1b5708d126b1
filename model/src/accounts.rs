//! Accounts and aliases.

use std::sync::Arc;

use presence::subscription::State;
use presence::{Bare, Refusal, subscription};
use store::Op;

use crate::commit::Reply;
use crate::outbox::Owed;
use crate::route::Ended;
use crate::shards::Model;

/// The stored secrets of an account, opaque to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// SCRAM keys.
    pub scram: Vec<u8>,
    /// HA1 values for SIP and HTTP digest, sealed.
    pub sealed_ha1: Vec<u8>,
}

impl Model {
    fn unit(
        self: &Arc<Self>,
        ops: Vec<Op>,
        reply: &Reply<()>,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let (model, answer) = (Arc::clone(self), reply.clone());
        let done = move |stored: Result<(), store::StoreError>| match stored {
            Ok(()) => {
                then(&model);
                answer.send(Ok(()));
            }
            Err(error) => answer.send(Err(refusal(&error))),
        };
        if self.store.submit(ops, Box::new(done)).is_err() {
            reply.send(Err(Refusal::Overloaded));
        }
    }

    /// Makes an account. `Conflict` when it exists.
    pub fn add_account(
        self: &Arc<Self>,
        account: &Bare,
        secrets: Secrets,
        admin: bool,
        reply: &Reply<()>,
    ) {
        if account.local().is_none() || !self.is_local(account) {
            reply.send(Err(Refusal::ForeignDomain));
            return;
        }
        let Secrets { scram, sealed_ha1 } = secrets;
        let created = self.now().utc;
        self.unit(
            vec![Op::AccountCreate {
                account: account.clone(),
                scram,
                sealed_ha1,
                admin,
                created,
            }],
            reply,
            |_| {},
        );
    }

    /// Changes the secrets. Sessions that logged in with the old ones are ended.
    pub fn set_secrets(self: &Arc<Self>, account: &Bare, secrets: Secrets, reply: &Reply<()>) {
        let Secrets { scram, sealed_ha1 } = secrets;
        let of = account.clone();
        self.unit(
            vec![Op::AccountPassword {
                account: account.clone(),
                scram,
                sealed_ha1,
            }],
            reply,
            move |model| {
                model.end_sessions(&of, Ended::PasswordChanged);
            },
        );
    }

    /// Disables an account (its sessions are ended, its phones forgotten) or enables it again.
    pub fn disable(self: &Arc<Self>, account: &Bare, disabled: bool, reply: &Reply<()>) {
        let of = account.clone();
        self.unit(
            vec![Op::AccountDisable {
                account: account.clone(),
                disabled,
            }],
            reply,
            move |model| {
                let _ = model.with_entity(&of, |entity| {
                    entity.disabled = disabled;
                    Ok(())
                });
                if disabled {
                    model.end_sessions(&of, Ended::Disabled);
                    model.silence(&of);
                }
            },
        );
    }

    /// Takes back what the phones of an account said: publications and registrations.
    fn silence(self: &Arc<Self>, account: &Bare) {
        let _ = self.with(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return Ok(());
            };
            let contacts: Vec<_> = entity
                .bindings
                .iter()
                .map(|b| Arc::clone(&b.binding.contact))
                .collect();
            let resources: Vec<_> = entity
                .published
                .iter()
                .map(|p| p.publication.resource.clone())
                .collect();
            let mut ops: Vec<Op> = contacts
                .iter()
                .map(|c| Op::BindingRemove {
                    account: account.clone(),
                    contact: Arc::clone(c),
                })
                .collect();
            ops.extend(resources.iter().map(|r| Op::PublicationRemove {
                account: account.clone(),
                resource: r.clone(),
            }));
            self.submit(entity, ops, |_, _| {})?;
            for contact in contacts {
                self.unbind(slot, &contact);
            }
            for resource in resources {
                let Some(published) = slot.entity.as_mut().and_then(|e| e.take(&resource)) else {
                    continue;
                };
                let notice = crate::route::Notice::unavailable(
                    account.with(resource),
                    Some(published.publication),
                    None,
                );
                slot.broadcast(&notice, None, self.rules.same_domain_allow, self.phones());
            }
            Ok(())
        });
    }

    /// Deletes an account and all that belongs to it. Its contacts are told that the subscriptions are over.
    pub fn delete_account(self: &Arc<Self>, account: &Bare, reply: &Reply<()>) {
        self.end_sessions(account, Ended::Deleted);
        self.silence(account);
        let outcome = self.with_entity(account, |entity| {
            let mut owed = Vec::new();
            let contacts: Vec<Bare> = entity
                .roster
                .items
                .keys()
                .chain(entity.roster.pending_in.keys())
                .cloned()
                .collect();
            for contact in contacts {
                for kind in subscription::remove(State::of(&entity.roster, &contact)).route {
                    owed.push(self.owe(account, &contact, Owed::stanza(kind)));
                }
            }
            owed.dedup_by(|a, b| a.target == b.target && a.payload == b.payload);
            let mut ops: Vec<Op> = owed.iter().map(Owed::op).collect();
            ops.push(Op::AccountDelete {
                account: account.clone(),
            });
            let (answer, of) = (reply.clone(), account.clone());
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    model.forget(&of);
                    model.deliver_owed(owed);
                }
                answer.send(stored);
            })?;
            entity.disabled = true;
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    fn forget(self: &Arc<Self>, account: &Bare) {
        let watches = self.with_slot(account, |slot| {
            let watches = slot.entity.take().map(|e| e.watches).unwrap_or_default();
            slot.watchers.clear();
            watches
        });
        for watch in watches {
            let view = Arc::new(presence::View {
                presentity: account.clone(),
                version: u64::MAX,
                publications: Vec::new(),
                pidf: std::sync::OnceLock::new(),
            });
            self.phones().deliver(&crate::route::Event::View {
                watch: watch.record.id,
                decision: presence::Decision::Deny,
                view: &view,
            });
        }
        self.aliases.lock().retain(|_, a| a != account);
    }

    /// Leads another address to an account. `Conflict` when it leads elsewhere.
    pub fn add_alias(self: &Arc<Self>, alias: &str, account: &Bare, reply: &Reply<()>) {
        if self.aliases.lock().get(alias).is_some_and(|a| a != account) {
            reply.send(Err(Refusal::Conflict));
            return;
        }
        let (alias, account) = (alias.to_owned(), account.clone());
        let op = Op::AliasPut {
            alias: alias.clone(),
            account: account.clone(),
        };
        self.unit(vec![op], reply, move |model| {
            model.aliases.lock().insert(alias, account);
        });
    }

    /// Takes an alias away. `NotFound` when it does not lead to this account.
    pub fn remove_alias(self: &Arc<Self>, alias: &str, account: &Bare, reply: &Reply<()>) {
        if self.aliases.lock().get(alias) != Some(account) {
            reply.send(Err(Refusal::NotFound));
            return;
        }
        let alias = alias.to_owned();
        self.unit(
            vec![Op::AliasRemove {
                alias: alias.clone(),
            }],
            reply,
            move |model| {
                model.aliases.lock().remove(&alias);
            },
        );
    }

    /// The account that an alias leads to.
    pub fn alias(&self, alias: &str) -> Option<Bare> {
        self.aliases.lock().get(alias).cloned()
    }

    /// Leads aliases of the configuration to their accounts, without storing them.
    pub fn configure_aliases(&self, aliases: impl IntoIterator<Item = (String, Bare)>) {
        self.aliases.lock().extend(aliases);
    }
}

fn refusal(error: &store::StoreError) -> Refusal {
    match error {
        store::StoreError::Conflict { .. } => Refusal::Conflict,
        store::StoreError::AccountUnknown { .. } => Refusal::NotFound,
        other => {
            tracing::error!(error = %other, "a change could not be stored");
            Refusal::Fault
        }
    }
}

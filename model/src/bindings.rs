//! Registrations of phones (RFC 3261 §10).

use std::sync::Arc;

use presence::{
    Bare, Basic, Binding, Document, Native, Publication, Refusal, Resource, Source, Utc,
};
use store::Op;

use crate::commit::Reply;
use crate::entity::{Bound, Entity, Slot};
use crate::route::Notice;
use crate::shards::Model;
use crate::timers::Ending;

/// What a REGISTER asks for, after its own protocol's checks.
#[derive(Debug, Clone)]
pub enum Register {
    /// Which bindings are there.
    Query,
    /// Adds or refreshes bindings; one whose `expires` is not after the moment is removed.
    Update(Vec<Binding>),
    /// `Contact: *`: removes all. Call-ID and CSeq for the order (RFC 3261 §10.3, step 6).
    RemoveAll {
        /// Call-ID of the request.
        call_id: Arc<str>,
        /// Its CSeq.
        cseq: u32,
    },
}

/// The device that a binding stands for, so that a publication of the same phone is known as such.
pub fn device(binding: &Binding) -> Arc<str> {
    binding
        .instance
        .clone()
        .unwrap_or_else(|| Arc::clone(&binding.contact))
}

impl Model {
    /// Updates the bindings of an account, all or none (RFC 3261 §10.3). Answered after the commit with all that are left.
    pub fn register(
        self: &Arc<Self>,
        account: &Bare,
        register: Register,
        reply: &Reply<Vec<Binding>>,
    ) {
        if let Err(refusal) = self.register_planned(account, register, reply) {
            reply.send(Err(refusal));
        }
    }

    fn register_planned(
        self: &Arc<Self>,
        account: &Bare,
        register: Register,
        reply: &Reply<Vec<Binding>>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            if entity.disabled {
                return Err(Refusal::Disabled);
            }
            let (put, remove) = entity.plan(register, now.utc)?;
            let most = self.rules.registrations_per_account;
            let added: Vec<_> = put
                .iter()
                .map(|b| Arc::clone(&b.contact))
                .filter(|c| entity.bound(c).is_none())
                .collect();
            let left = entity.left(&put, &remove);
            if !added.is_empty() && left.len() > most {
                return Err(Refusal::Limit("registrations_per_account"));
            }
            let mut ops: Vec<Op> = remove
                .iter()
                .map(|contact| Op::BindingRemove {
                    account: account.clone(),
                    contact: Arc::clone(contact),
                })
                .collect();
            ops.extend(put.iter().map(|b| Op::BindingPut {
                account: account.clone(),
                binding: b.clone(),
            }));
            let (answer, of) = (reply.clone(), account.clone());
            let seen = !put.is_empty();
            if ops.is_empty() {
                answer.send(Ok(left));
                return Ok(());
            }
            self.submit(entity, ops, move |model, stored| {
                let stored_well = stored.is_ok();
                answer.send(stored.map(|()| left));
                if stored_well && seen {
                    model.flush_to_phones(&of, &added);
                }
            })?;
            // The new contact of a device comes before its old one goes: its presence does not flap.
            for binding in put {
                self.bind(slot, binding, now);
            }
            for contact in remove {
                self.unbind(slot, &contact);
            }
            Ok(())
        })
    }

    pub(crate) fn bind(&self, slot: &mut Slot, binding: Binding, now: crate::clock::Now) {
        let Some(entity) = &mut slot.entity else {
            return;
        };
        let account = entity.account.clone();
        let device = device(&binding);
        let deadline = now.deadline(binding.expires);
        self.timers.lock().push(
            deadline,
            &account,
            Ending::Binding(Arc::clone(&binding.contact)),
        );
        let resource = resource(&account, &device);
        if let Some(bound) = entity.bound_mut(&binding.contact) {
            bound.deadline = deadline;
            bound.binding = binding;
            return;
        }
        entity.bindings.push(Bound {
            binding,
            device: Arc::clone(&device),
            deadline,
        });
        // A phone that publishes by itself does not count as present merely because it is registered.
        if self.rules.registered_is_open && entity.find(&resource).is_none() {
            let publication = open(resource, device);
            entity.put(Arc::clone(&publication), None);
            let notice = Notice::available(&account, &publication);
            slot.broadcast(&notice, self.rules.same_domain_allow, self.phones());
        }
    }

    /// Takes a binding away, and with it the presence that came from it alone.
    pub(crate) fn unbind(&self, slot: &mut Slot, contact: &str) {
        let Some(entity) = &mut slot.entity else {
            return;
        };
        let Some(index) = entity
            .bindings
            .iter()
            .position(|b| *b.binding.contact == *contact)
        else {
            return;
        };
        let bound = entity.bindings.remove(index);
        let account = entity.account.clone();
        let resource = resource(&account, &bound.device);
        let shared = entity.bindings.iter().any(|b| b.device == bound.device);
        if !shared && entity.is_registration(&resource) {
            slot.close(&resource, self.rules.same_domain_allow, self.phones());
        }
    }

    /// The registered phone that sits at the other end of this flow, or has this contact: its device name.
    pub fn device_at(&self, account: &Bare, flow: &str, contact: Option<&str>) -> Option<Arc<str>> {
        self.with_slot(account, |slot| {
            let entity = slot.entity.as_ref()?;
            let by_contact = entity
                .bindings
                .iter()
                .find(|b| Some(&*b.binding.contact) == contact);
            by_contact
                .or_else(|| entity.bindings.iter().find(|b| *b.binding.flow == *flow))
                .map(|b| Arc::clone(&b.device))
        })
    }

    /// The bindings of an account.
    pub fn bindings(&self, account: &Bare) -> Vec<Binding> {
        self.with_slot(account, |slot| {
            slot.entity.as_ref().map_or_else(Vec::new, |e| {
                e.bindings.iter().map(|b| b.binding.clone()).collect()
            })
        })
    }
}

/// The presence of a phone that is registered and says nothing. It has no time of its own, so that it is the same after a restart.
pub(crate) fn open(resource: Resource, device: Arc<str>) -> Arc<Publication> {
    Arc::new(Publication {
        resource,
        source: Source::Registration { device },
        etag: None,
        expires: None,
        document: Document {
            basic: Basic::Open,
            ..Document::default()
        },
        native: Native::None,
        lang: None,
        changed: Utc(0),
    })
}

/// As which resource a phone appears.
pub(crate) fn resource(account: &Bare, device: &str) -> Resource {
    presence::mapping::sip_resource(device, account)
}

impl Entity {
    pub(crate) fn bound(&self, contact: &str) -> Option<&Bound> {
        self.bindings
            .iter()
            .find(|b| *b.binding.contact == *contact)
    }

    fn bound_mut(&mut self, contact: &str) -> Option<&mut Bound> {
        self.bindings
            .iter_mut()
            .find(|b| *b.binding.contact == *contact)
    }

    /// What is put and what is removed. A binding of the same Call-ID changes only with a higher CSeq (RFC 3261 §10.3, step 7); a
    /// device that registers under a new contact gives up its old one (RFC 5626 §4.2 wants one binding an instance without reg-id).
    fn plan(
        &self,
        register: Register,
        now: presence::Utc,
    ) -> Result<(Vec<Binding>, Vec<Arc<str>>), Refusal> {
        let (mut put, mut remove) = (Vec::new(), Vec::new());
        match register {
            Register::Query => {}
            Register::RemoveAll { call_id, cseq } => {
                for b in &self.bindings {
                    in_order(&b.binding, &call_id, cseq)?;
                    remove.push(Arc::clone(&b.binding.contact));
                }
            }
            Register::Update(bindings) => {
                for new in bindings {
                    if let Some(old) = self.bound(&new.contact) {
                        in_order(&old.binding, &new.call_id, new.cseq)?;
                    }
                    if new.expires <= now {
                        if self.bound(&new.contact).is_some() {
                            remove.push(Arc::clone(&new.contact));
                        }
                        continue;
                    }
                    for old in &self.bindings {
                        let same = new.instance.is_some() && old.binding.instance == new.instance;
                        if same && old.binding.contact != new.contact {
                            remove.push(Arc::clone(&old.binding.contact));
                        }
                    }
                    put.push(new);
                }
            }
        }
        remove.retain(|c| !put.iter().any(|p| p.contact == *c));
        Ok((put, remove))
    }

    fn left(&self, put: &[Binding], remove: &[Arc<str>]) -> Vec<Binding> {
        let stays = |b: &&Bound| {
            !remove.contains(&b.binding.contact)
                && !put.iter().any(|p| p.contact == b.binding.contact)
        };
        let mut left: Vec<Binding> = self
            .bindings
            .iter()
            .filter(stays)
            .map(|b| b.binding.clone())
            .collect();
        left.extend(put.iter().cloned());
        left
    }
}

fn in_order(old: &Binding, call_id: &str, cseq: u32) -> Result<(), Refusal> {
    if *old.call_id == *call_id && cseq <= old.cseq {
        Err(Refusal::OutOfOrder)
    } else {
        Ok(())
    }
}

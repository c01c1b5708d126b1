//! Durable changes and what follows from them.
//!
//! A change is planned, handed to the writer, and only when the writer took it made in memory; what follows from it (the answer,
//! roster pushes, what other accounts are owed) waits for the commit.

use std::sync::Arc;

use parking_lot::Mutex;
use presence::Refusal;
use store::Op;

use crate::entity::Entity;
use crate::shards::Model;

type Answer<T> = Box<dyn FnOnce(Result<T, Refusal>) + Send>;

/// Takes the answer to a command, after the commit where there is one. It is called once, possibly under an account's lock: it
/// may put something into a queue and must not call the model.
pub struct Reply<T>(Arc<Mutex<Option<Answer<T>>>>);

impl<T> Reply<T> {
    /// Calls `answer` with what comes.
    pub fn new(answer: impl FnOnce(Result<T, Refusal>) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(answer)))))
    }

    /// Nobody wants to know.
    pub fn ignored() -> Self {
        Self(Arc::default())
    }

    /// Answers; only the first answer counts.
    pub(crate) fn send(&self, result: Result<T, Refusal>) {
        let answer = self.0.lock().take();
        if let Some(answer) = answer {
            answer(result);
        }
    }
}

impl<T> Clone for Reply<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Model {
    /// Queues the ops as one unit. `Overloaded` when the writer's queue is full: then nothing was queued and nothing may be changed.
    /// `then` runs after the commit, under no lock, in the order of submission.
    pub(crate) fn submit(
        self: &Arc<Self>,
        entity: &mut Entity,
        ops: Vec<Op>,
        then: impl FnOnce(&Arc<Self>, Result<(), Refusal>) + Send + 'static,
    ) -> Result<(), Refusal> {
        let model = Arc::clone(self);
        let (account, born) = (entity.account.clone(), entity.born);
        let done = move |result: Result<(), store::StoreError>| {
            model.committed(&account, born, result.is_ok());
            then(
                &model,
                result.map_err(|error| match error {
                    // The writer says so once for all.
                    store::StoreError::Busy => Refusal::Overloaded,
                    store::StoreError::Full(_) => {
                        Refusal::Limit("private_bytes or private_elements")
                    }
                    store::StoreError::Io(_) => Refusal::Fault,
                    error => {
                        tracing::error!(%error, %account, "a change could not be stored");
                        Refusal::Fault
                    }
                }),
            );
        };
        self.store
            .submit(ops, Box::new(done))
            .map_err(|_| Refusal::Overloaded)?;
        entity.pending_commits += 1;
        Ok(())
    }

    /// Answers once everything that was changed before is on disk: at once when nothing is under way.
    pub(crate) fn after_commits(
        self: &Arc<Self>,
        entity: &mut Entity,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> Result<(), Refusal> {
        self.submit(entity, Vec::new(), move |model, _| then(model))
    }
}

//! Ann and Bob, who see each other.

use super::{Chat, Phone, World};

/// Both at their desks; one of them has a phone that shows the other as well.
pub(super) struct Office {
    pub(super) world: World,
    pub(super) ann: Chat,
    pub(super) bob: Chat,
    pub(super) phone: Phone,
}

impl Office {
    /// The phone is this one's, of both.
    pub(super) fn with_a_phone_of(watcher: &'static str) -> Self {
        let watched = if watcher == "ann" { "bob" } else { "ann" };
        let mut world = World::open(&["ann", "bob"]);
        world.befriend("ann", "bob");
        let ann = Chat::online(&mut world, "ann", "desk");
        let bob = Chat::online(&mut world, "bob", "desk");
        let mut phone = Phone::new(watcher, 2);
        phone.subscribe(&mut world, watched);
        assert!(phone.sees(&mut world).is_open());
        ann.read();
        bob.read();
        Self {
            world,
            ann,
            bob,
            phone,
        }
    }
}

//! Archives.

use super::*;

pub(crate) fn preferences() -> impl Strategy<Value = ArchivePreferences> {
    let default = prop_oneof![
        Just(ArchiveDefault::Always),
        Just(ArchiveDefault::Never),
        Just(ArchiveDefault::Roster),
    ];
    (default, vec(address(), 0..4), vec(address(), 0..4)).prop_map(|(default, always, never)| {
        ArchivePreferences {
            default,
            always,
            never,
        }
    })
}

/// What is read back of it from an archive.
pub(crate) fn form(message: &Message) -> ArchivedForm {
    match &message.native {
        MessageNative::Xmpp(stanza) => ArchivedForm::Stanza(stanza.clone()),
        MessageNative::Sip { .. } => ArchivedForm::Other(Box::new(Message {
            archived: None,
            ..message.clone()
        })),
    }
}

/// Numbers of four moments, so that operations and questions meet.
pub(crate) fn archive_id() -> impl Strategy<Value = ArchiveId> {
    (0..4_i64, 0..5_u64).prop_map(|(at, n)| ArchiveId(ArchiveId::first_at(Utc(at)).0 + n))
}

/// An address of an account that operations make.
fn member() -> impl Strategy<Value = Address> {
    (account(), of(resource())).prop_map(|(bare, resource)| Address { bare, resource })
}

pub(crate) fn archive_query() -> impl Strategy<Value = ArchiveQuery> {
    let ends = (of((0..4_i64).prop_map(Utc)), of((0..4_i64).prop_map(Utc)));
    let rare = || proptest::option::weighted(0.2, archive_id());
    let page = (
        of(0..4_usize),
        rare(),
        of(proptest::option::weighted(0.3, archive_id())),
    );
    let ids = proptest::option::weighted(0.2, vec(archive_id(), 0..3));
    (of(member()), ends, rare(), rare(), ids, page).prop_map(
        |(with, (start, end), after_id, before_id, ids, (max, after, before))| ArchiveQuery {
            with,
            start,
            end,
            after_id,
            before_id,
            ids,
            max,
            after,
            before,
        },
    )
}

pub(crate) fn archive_op() -> impl Strategy<Value = Op> {
    let put = (
        archive_id(),
        any::<bool>(),
        any::<bool>(),
        (member(), member(), message()),
    );
    prop_oneof![
        8 => put.prop_map(|(id, sender, recipient, (from, to, message))| Op::ArchivePut {
            id,
            sender,
            recipient,
            message: Arc::new(Message { from, to, ..message }),
        }),
        // All or nothing: messages of deleted accounts count as long as they are there.
        1 => (archive_id(), prop_oneof![Just(0), Just(1000)])
            .prop_map(|(below, most)| Op::ArchivePrune { below, most }),
        1 => (account(), preferences().prop_map(Box::new)).prop_map(|(account, preferences)| {
            Op::ArchivePreferencesPut { account, preferences }
        }),
        1 => (account(), 0..4_i64).prop_map(|(account, at)| Op::ArchiveRead { account, at: Utc(at) }),
    ]
}

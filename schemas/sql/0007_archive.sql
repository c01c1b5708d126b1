-- Schema 7: archives of messages, and what accounts want archived.

-- Every message once, for both sides, in the order in which they came: new rows fill one page after the other. `id` holds the moment above
-- a count (milliseconds times 2^20), so one key serves order, pages and times. `sender` and `recipient` are numbers of accounts, 0 where
-- the message is not in that one's archive; no reference to accounts, so that nothing is looked up for a row. `from_hash` and `to_hash` are
-- hashes of the bare addresses: who they are stands in the message.
CREATE TABLE archive_log (
    id        INTEGER PRIMARY KEY,
    sender    INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    from_hash INTEGER NOT NULL,
    to_hash   INTEGER NOT NULL,
    message   BLOB    NOT NULL
) STRICT;

-- What stands in whose archive, and with whom it was exchanged (a hash). Follows the log in bulk, complete up to `state.archive_indexed`;
-- what it says above that is not read. No reference to accounts: of one that is deleted it is emptied little by little.
CREATE TABLE archive (
    account INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    peer    INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
-- A conversation of two is paged and counted by it.
CREATE INDEX archive_peer ON archive (account, peer, id);

-- Accounts that were deleted and whose messages are still to be removed, up to the number `last`. Numbers of accounts are not used again.
CREATE TABLE archive_gone (
    account INTEGER PRIMARY KEY,
    last    INTEGER NOT NULL
) STRICT;

CREATE TABLE archive_preferences (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    body    BLOB NOT NULL
) STRICT;

-- No number of an archive at or above it was used.
ALTER TABLE state ADD COLUMN archive_id INTEGER NOT NULL DEFAULT 0;
-- Every message of the log up to this number stands in `archive`.
ALTER TABLE state ADD COLUMN archive_indexed INTEGER NOT NULL DEFAULT 0;

-- The number of a message that waits, in the archive of its recipient.
ALTER TABLE offline ADD COLUMN archived INTEGER;

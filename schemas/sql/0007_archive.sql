-- Schema 7: archives of messages, and what accounts want archived.

-- `id` holds the moment above a count (milliseconds times 2^20), so one key serves order, pages and times. `peer` is a hash of the other
-- side's bare address: who it is stands in the message, and nothing of him is left when the last message is removed.
CREATE TABLE archive (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id      INTEGER NOT NULL,
    peer    INTEGER NOT NULL,
    message BLOB    NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
-- A conversation of two is paged by it, and messages are counted without being read.
CREATE INDEX archive_peer ON archive (account, peer, id);

CREATE TABLE archive_preferences (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    body    BLOB NOT NULL
) STRICT;

-- No number of an archive at or above it was used.
ALTER TABLE state ADD COLUMN archive_id INTEGER NOT NULL DEFAULT 0;

-- The number of a message that waits, in the archive of its recipient.
ALTER TABLE offline ADD COLUMN archived INTEGER;

-- Schema 1. A file that was released is never edited: what changes comes as the next number.
-- Hot tables lie in the order in which they are read (WITHOUT ROWID, the account first) and have no second index.

-- One row: what the store knows of itself. The three numbers were never used and everything above them is free.
CREATE TABLE state (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    clean      INTEGER NOT NULL,
    outbox_seq INTEGER NOT NULL,
    offline_id INTEGER NOT NULL,
    watch_id   INTEGER NOT NULL
) STRICT;
INSERT INTO state (one, clean, outbox_seq, offline_id, watch_id) VALUES (1, 1, 1, 1, 1);

-- AUTOINCREMENT: a number is never given to a second account, so a remembered one can only miss, not mislead.
CREATE TABLE accounts (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    address        TEXT    NOT NULL UNIQUE,
    scram          BLOB    NOT NULL,
    sealed_ha1     BLOB    NOT NULL,
    admin          INTEGER NOT NULL,
    disabled       INTEGER NOT NULL,
    created        INTEGER NOT NULL,
    roster_version INTEGER NOT NULL
) STRICT;

CREATE TABLE aliases (
    alias   TEXT    PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- Without it every deletion of an account reads all aliases; the table is written by hand, not by traffic.
CREATE INDEX aliases_account ON aliases (account);

CREATE TABLE roster (
    account      INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    contact      TEXT    NOT NULL,
    name         TEXT,
    groups       BLOB    NOT NULL,
    subscription INTEGER NOT NULL,
    ask          INTEGER NOT NULL,
    approved     INTEGER NOT NULL,
    PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending_in (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    contact TEXT    NOT NULL,
    stanza  BLOB    NOT NULL,
    PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    watcher TEXT    NOT NULL,
    allow   INTEGER NOT NULL,
    origin  INTEGER NOT NULL,
    PRIMARY KEY (account, watcher)
) STRICT, WITHOUT ROWID;

-- What one account owes another. No reference to accounts: the debt of a deleted account is still paid.
CREATE TABLE outbox (
    seq     INTEGER PRIMARY KEY,
    origin  TEXT NOT NULL,
    target  TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;

-- The highest number applied from each origin.
CREATE TABLE inbox (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    origin  TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (account, origin)
) STRICT, WITHOUT ROWID;

-- `size` stands before `message`, so that summing it up does not read the messages.
CREATE TABLE offline (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id      INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    message BLOB    NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- `first` is when the resource appeared; it survives changes and gives the order of a view.
CREATE TABLE publications (
    account  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    resource TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (account, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_known (
    account  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    resource TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (account, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE bindings (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    contact TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE watches (
    id         INTEGER PRIMARY KEY,
    presentity INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    watcher    TEXT    NOT NULL,
    package    TEXT    NOT NULL,
    expires    INTEGER NOT NULL,
    dialog     BLOB    NOT NULL
) STRICT;
-- An account is loaded with its watches, and a watch is removed by its number alone, so both ways are needed. A refresh
-- does not touch this index, only the first SUBSCRIBE and the end of the dialog do.
CREATE INDEX watches_presentity ON watches (presentity);

CREATE TABLE last_seen (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    status  TEXT
) STRICT;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

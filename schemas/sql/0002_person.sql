-- Schema 2: what accounts say about their person, and what they keep for their own programs.

-- What the directory is searched by stands before the card, so that a search does not read cards.
CREATE TABLE vcards (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    first   TEXT NOT NULL,
    last    TEXT NOT NULL,
    nick    TEXT NOT NULL,
    email   TEXT NOT NULL,
    card    BLOB NOT NULL
) STRICT;

-- `size` stands before `body`, so that summing it up does not read what is kept.
CREATE TABLE private (
    account   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    namespace TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    size      INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (account, namespace, name)
) STRICT, WITHOUT ROWID;

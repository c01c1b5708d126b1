-- Schema 9: which picture is in the card of an account, so that presence can say so without the card being read.

CREATE TABLE photos (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL
) STRICT;

-- Schema 11: when clients of an account last read its archive: they find there what they were not sent.

CREATE TABLE archive_readers (
    account INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL
) STRICT;

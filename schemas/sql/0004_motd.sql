-- Schema 4: which message of the day an account has got last; 0 for none.
ALTER TABLE accounts ADD COLUMN motd INTEGER NOT NULL DEFAULT 0;

-- +goose Up
-- Mails to send, and those that were sent. A rendered mail is kept, so that later templates do not change it.
-- next_at: when it is due; while it is being sent, when the lease of claim ends. started_at: from when the time for
-- retries counts.
CREATE TABLE mails (
    id         INTEGER NOT NULL PRIMARY KEY,
    mail_key   BLOB    NOT NULL UNIQUE, -- one mail for each
    template   TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body_text  TEXT    NOT NULL,
    body_html  TEXT    NOT NULL,
    sealed     INTEGER NOT NULL, -- 1: the bodies are encrypted
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'local')),
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    claim      INTEGER NOT NULL, -- 0: nobody is sending it
    started_at INTEGER NOT NULL,
    last_error TEXT    NOT NULL,
    sent_at    INTEGER NOT NULL, -- 0: not
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_due ON mails (state, next_at, id);
CREATE INDEX mails_state ON mails (state, id);
CREATE INDEX mails_recipient ON mails (recipient, id);

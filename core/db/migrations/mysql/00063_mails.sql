-- +goose NO TRANSACTION
-- +goose Up
-- Mails to send, and those that were sent. A rendered mail is kept, so that later templates do not change it.
-- next_at: when it is due; while it is being sent, when the lease of claim ends. started_at: from when the time for
-- retries counts.
CREATE TABLE IF NOT EXISTS mails (
    id         BIGINT         NOT NULL PRIMARY KEY,
    mail_key   VARBINARY(255) NOT NULL COMMENT 'one mail for each',
    template   VARCHAR(64)    NOT NULL,
    recipient  VARCHAR(254)   NOT NULL,
    subject    VARCHAR(255)   NOT NULL,
    body_text  MEDIUMTEXT     NOT NULL,
    body_html  MEDIUMTEXT     NOT NULL,
    sealed     TINYINT        NOT NULL COMMENT '1: the bodies are encrypted',
    state      VARCHAR(7)     NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'local')),
    attempts   BIGINT         NOT NULL,
    next_at    BIGINT         NOT NULL,
    claim      BIGINT         NOT NULL COMMENT '0: nobody is sending it',
    started_at BIGINT         NOT NULL,
    last_error VARCHAR(255)   NOT NULL,
    sent_at    BIGINT         NOT NULL COMMENT '0: not',
    created_at BIGINT         NOT NULL,
    UNIQUE KEY mails_key (mail_key),
    KEY mails_due (state, next_at, id),
    KEY mails_state (state, id),
    KEY mails_recipient (recipient, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- +goose Up
-- affiliate_id 0: a webhook of the business, otherwise a postback of that affiliate. program_id 0: all programs.
-- A deleted endpoint stays as a name for its deliveries, without URL and secrets.
CREATE TABLE webhook_endpoints (
    id              INTEGER NOT NULL PRIMARY KEY,
    program_id      INTEGER NOT NULL,
    affiliate_id    INTEGER NOT NULL,
    url             TEXT    NOT NULL,
    method          TEXT    NOT NULL CHECK (method IN ('GET', 'POST')),
    events          TEXT    NOT NULL, -- separated by spaces
    description     TEXT    NOT NULL,
    secret          TEXT    NOT NULL,
    previous_secret TEXT    NOT NULL,
    previous_until  INTEGER NOT NULL, -- until when the previous secret signs too
    state           TEXT    NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')),
    disabled_reason TEXT    NOT NULL,
    failing_since   INTEGER NOT NULL, -- 0: the last attempt succeeded
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_endpoints_state ON webhook_endpoints (state, id);

-- +goose Up
-- An affiliate who waits for approval is suspended, and a row here says why: whatever looks at the status alone does
-- right. (A column in affiliates could not be added twice on MySQL, as a migration must.)
CREATE TABLE affiliate_applications (
    affiliate_id INTEGER NOT NULL PRIMARY KEY,
    created_at   INTEGER NOT NULL,
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) STRICT;

-- +goose NO TRANSACTION
-- +goose Up
-- An affiliate who waits for approval is suspended, and a row here says why: whatever looks at the status alone does
-- right. (A column in affiliates could not be added twice on MySQL, as a migration must.)
CREATE TABLE IF NOT EXISTS affiliate_applications (
    affiliate_id BIGINT NOT NULL PRIMARY KEY,
    created_at   BIGINT NOT NULL,
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

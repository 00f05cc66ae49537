package db_test

import (
	"fmt"
	"testing"

	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/db/dbtest"
)

// rowsBefore are a rule with a commission that was reversed in part, as version 191 kept them.
func rowsBefore() []string {
	return []string{
		`INSERT INTO commission_rules (id, program_id, affiliate_id, trigger_type, version, created_at, ended_at, live) VALUES (1, 2, 3, 'sale', 1, 4, 0, 1)`,
		`INSERT INTO commission_rules (id, program_id, affiliate_id, trigger_type, version, created_at, ended_at, live) VALUES (9, 2, 3, 'sale', 1, 4, 5, NULL)`,
		`INSERT INTO commission_rule_versions (rule_id, version, percent_bp, flat_minor, flat_currency, valid_from) VALUES (1, 1, 7500, 0, '', 4)`,
		`INSERT INTO conversions (id, program_id, type, txn_id, subject, hash, click_id, amount_minor, currency, name, channel, node,
			received_at, booked_at, state, reason, affiliate_id, link_id, attribution, explanation, no_commission, refunded_minor, refunded_currency, closed)
			VALUES (5, 2, 'sale', 't', 't', x'0000000000000000000000000000000000000000000000000000000000000000', '', 100, 'INR', '', 'api', 0,
			1, 1, 'booked', '', 3, 0, 'attributed', '{}', '', 10, 'INR', 0)`,
		`INSERT INTO commissions (id, conversion_id, program_id, affiliate_id, link_id, state, currency, amount_minor, reversed_minor, rule_id,
			rule_version, explanation, created_at, release_at, released_at) VALUES (6, 5, 2, 3, 0, 'pending', 'INR', 75, 8, 1, 1, '{}', 7, 8, 0)`,
		`INSERT INTO commission_reversals (commission_id, conversion_id, amount_minor, explanation, created_at) VALUES (6, 5, 8, '{}', 9)`,
	}
}

// Rules and commissions that are there survive the steps that make their tables anew, and what refers to them still does.
func TestRulesAndCommissionsAreKept(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, d *db.DB) {
		if err := d.MigrateTo(t.Context(), 191); err != nil {
			t.Fatal(err)
		}
		for _, row := range rowsBefore() {
			if err := exec(t, d, row); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got string
		err := d.QueryRow(t.Context(), `SELECT c.amount_minor - r.amount_minor + c.level + c.paid_at + l.group_id FROM commissions c
			JOIN commission_reversals r ON r.commission_id = c.id JOIN commission_rule_versions v ON v.rule_id = c.rule_id
			JOIN commission_rules l ON l.id = v.rule_id WHERE v.terms = ''`).Scan(&got)
		if err != nil || got != "67" {
			t.Errorf("%q, %v", got, err)
		}
		if err := exec(t, d, "DELETE FROM commissions"); !db.IsForeignKey(err) {
			t.Errorf("deleting what a reversal is about: %v", err)
		}
		if err := exec(t, d, "DELETE FROM commission_rules WHERE id = 1"); !db.IsForeignKey(err) {
			t.Errorf("deleting a rule that has versions: %v", err)
		}
		const second = `INSERT INTO commission_rules (id, program_id, affiliate_id, group_id, product_id, trigger_type, version, created_at, ended_at, live)
			VALUES (%d, 2, 3, 0, %d, 'sale', 1, 4, 0, 1)`
		if err := exec(t, d, fmt.Sprintf(second, 10, 0)); !db.IsDuplicate(err) {
			t.Errorf("a second live rule: %v", err)
		}
		if err := exec(t, d, fmt.Sprintf(second, 11, 77)); err != nil {
			t.Errorf("a rule for a product: %v", err)
		}
	})
}

// A process that died between an ALTER of MySQL and its note does not keep the next one from starting.
func TestAlterThatWasNotNoted(t *testing.T) {
	dbtest.EachEmpty(t, func(t *testing.T, d *db.DB) {
		if d.Dialect() != db.MySQL {
			return
		}
		if err := d.MigrateTo(t.Context(), 195); err != nil {
			t.Fatal(err)
		}
		for _, version := range []int{195, 194} {
			if err := exec(t, d, fmt.Sprint("DELETE FROM schema_migrations WHERE version_id = ", version)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func exec(t *testing.T, d *db.DB, query string) error {
	t.Helper()
	return d.InTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), query)
		return err
	})
}

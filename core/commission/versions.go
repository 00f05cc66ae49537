package commission

import (
	"context"
	"fmt"
)

// Versions returns all versions of a rule, the newest first, or ErrRuleNotFound.
func (s *Service) Versions(ctx context.Context, id int64) ([]Rule, error) {
	rules, err := readRules(ctx, s.db, ruleColumns+" WHERE r.id = ? ORDER BY v.version DESC", id)
	if err != nil {
		return nil, fmt.Errorf("list versions of commission rule: %w", err)
	}
	if len(rules) == 0 {
		return nil, ErrRuleNotFound
	}
	return rules, nil
}

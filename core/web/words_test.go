package web_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/edgeref/edgeref/core/access"
)

// The page for tokens offers what it has words for, so it must have words for every scope there is, and for no other. The type check of
// the pages says the same; this needs no Node.
func TestThePagesHaveWordsForEveryScope(t *testing.T) {
	text, err := os.ReadFile("app/src/text/en/scopes.ts")
	if err != nil {
		t.Fatal(err)
	}
	words := map[access.Scope]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  "?([a-z]+(?::[a-z]+)?)"?: "[^"]+",$`).FindAllSubmatch(text, -1) {
		words[access.Scope(m[1])] = true
	}
	for _, scope := range access.Scopes() {
		if !words[scope] {
			t.Errorf("app/src/text/en/scopes.ts has no words for the scope %s", scope)
		}
		delete(words, scope)
	}
	for scope := range words {
		t.Errorf("app/src/text/en/scopes.ts has words for the scope %s, which there is not", scope)
	}
}

package agent

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// minNeedle is the shortest text worth looking for before the regular expression is tried, in bytes.
const minNeedle = 2

// pattern is a regular expression behind a cheap test. The lists have some two thousand expressions and nearly all of
// them fail on any given text; looking for a fixed part first makes a miss of the cache about fifty times cheaper. An
// expression is compiled when the cheap test passes for the first time: the compiled form takes up to a hundred times
// the memory, and most of them are about what hardly anybody uses.
type pattern struct {
	needles []string              // lower case; every text that matches holds at least one of them. Empty: no cheap test
	re      func() *regexp.Regexp // compiles once
}

// parse prepares expr. What it accepts compiles, except for expressions of absurd size, which the tests exclude.
func parse(expr, flags string) (pattern, error) {
	if flags != "" {
		expr = "(?" + flags + ")" + expr
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return pattern{}, fmt.Errorf("parse pattern %.80q: %w", expr, err)
	}
	return pattern{needles: needles(tree), re: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}, nil
}

// may reports whether the pattern can match a text whose lower-case form is lower. Texts must be ASCII.
func (p *pattern) may(lower string) bool {
	for _, n := range p.needles {
		if strings.Contains(lower, n) {
			return true
		}
	}
	return len(p.needles) == 0
}

func (p *pattern) match(text, lower string) bool {
	return p.may(lower) && p.re().MatchString(text)
}

// needles returns texts of which at least one is in every match of tree, in lower case, or nil if none are known.
func needles(tree *syntax.Regexp) []string {
	switch tree.Op {
	case syntax.OpLiteral:
		s := strings.ToLower(string(tree.Rune))
		if len(s) < minNeedle || !isASCII(s) {
			return nil
		}
		return []string{s}
	case syntax.OpCapture, syntax.OpPlus:
		return needles(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return needles(tree.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range tree.Sub {
			if n := needles(sub); shortest(n) > shortest(best) {
				best = n
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range tree.Sub {
			n := needles(sub)
			if n == nil {
				return nil
			}
			all = append(all, n...)
		}
		return all
	}
	return nil
}

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, t := range texts[1:] {
		n = min(n, len(t))
	}
	return n
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

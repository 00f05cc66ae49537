package db

import "strings"

// SearchLimit is how many rows whose text begins as wanted are looked at, whatever else is asked of them.
const SearchLimit = 500

// PrefixIn is a condition on id: that it is the idColumn of one of the first SearchLimit rows of table, in the order of
// column, whose column begins with a text. Its arguments are PrefixArgs. The rows are read off the index of column.
func PrefixIn(table, idColumn, column string) string {
	// MySQL takes a limit in a derived table only.
	return "id IN (SELECT " + idColumn + " FROM (SELECT " + idColumn + " FROM " + table + " WHERE " + column + " >= ? AND " + column + " < ? ORDER BY " + column + " LIMIT ?) found)"
}

// PrefixArgs are the arguments of PrefixIn.
func PrefixArgs(prefix string) []any {
	return []any{prefix, prefix + "\U0010ffff", SearchLimit}
}

// Lower makes lower case of a text as the database's LOWER does: of SQLite, of ASCII letters only.
func (d Dialect) Lower(text string) string {
	if d == MySQL {
		return strings.ToLower(text)
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

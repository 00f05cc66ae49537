package account

import (
	"context"
	"fmt"
	"math"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/db"
)

const maxEmail = 254 // bytes, RFC 5321

// Status says whether a person may sign in.
type Status string

// Statuses.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Erased    Status = "erased"
)

// Person is somebody with an account. Times are Unix ms.
type Person struct {
	ID          int64
	Email       string // normalised
	Name        string
	Roles       []access.Role // in the order of access.Roles
	AffiliateID int64         // 0: no affiliate
	Status      Status
	CreatedAt   int64
	UpdatedAt   int64
}

// Is reports whether the person holds a role.
func (p Person) Is(r access.Role) bool { return slices.Contains(p.Roles, r) }

// NormalizeEmail is the form under which an address is known: lower case, the domain in ASCII. The error is an
// *InvalidError. Providers may tell more addresses apart than we do; none that matters does.
func NormalizeEmail(text string) (string, error) {
	bad := &InvalidError{"email", ReasonEmail}
	text = strings.TrimSpace(text)
	if len(text) > maxEmail {
		return "", bad
	}
	local, domain, ok := cutLast(text, '@')
	if !ok || local == "" || len(local) > 64 || strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", bad
	}
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil || !strings.Contains(domain, ".") || strings.HasPrefix(domain, "[") {
		return "", bad
	}
	email := strings.ToLower(local) + "@" + strings.ToLower(domain)
	// A quoted local part is legal and of no use but to confuse.
	addr, err := mail.ParseAddress(email)
	if err != nil || addr.Address != email || addr.Name != "" || strings.ContainsAny(email, `"<>()`) || len(email) > maxEmail {
		return "", bad
	}
	return email, nil
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// checkName returns a name without spaces around it. The error is an *InvalidError.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", &InvalidError{"name", ReasonEmpty}
	case len(name) > MaxName:
		return "", &InvalidError{"name", ReasonLong}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", &InvalidError{"name", ReasonText}
	}
	return name, nil
}

// orderRoles sorts and compacts roles in the order of access.Roles, so that owner is always first: an index finds
// owners by that. The error is an *InvalidError.
func orderRoles(roles []access.Role) ([]access.Role, error) {
	out := make([]access.Role, 0, len(roles))
	for _, r := range access.Roles() {
		if slices.Contains(roles, r) {
			out = append(out, r)
		}
	}
	for _, r := range roles {
		if !slices.Contains(out, r) {
			return nil, &InvalidError{"roles", "holds a role that there is not"}
		}
	}
	return out, nil
}

func joinRoles(roles []access.Role) string {
	parts := make([]string, len(roles))
	for i, r := range roles {
		parts[i] = string(r)
	}
	return strings.Join(parts, " ")
}

func splitRoles(text string) []access.Role {
	parts := strings.Fields(text)
	out := make([]access.Role, len(parts))
	for i, p := range parts {
		out[i] = access.Role(p)
	}
	return out
}

const selectPerson = "SELECT id, email, name, roles, affiliate_id, status, created_at, updated_at FROM people"

type row interface{ Scan(into ...any) error }

func scanPerson(r row) (p Person, err error) {
	var roles string
	err = r.Scan(&p.ID, &p.Email, &p.Name, &roles, &p.AffiliateID, &p.Status, &p.CreatedAt, &p.UpdatedAt)
	p.Roles = splitRoles(roles)
	if db.IsNoRows(err) {
		return Person{}, ErrNotFound
	}
	if err != nil {
		return Person{}, fmt.Errorf("read person: %w", err)
	}
	return p, nil
}

// Person returns a person, or ErrNotFound.
func (s *Service) Person(ctx context.Context, id int64) (Person, error) {
	return ReadPerson(ctx, s.db, id)
}

// ReadPerson is Person inside or outside of a transaction.
func ReadPerson(ctx context.Context, q db.Querier, id int64) (Person, error) {
	return scanPerson(q.QueryRow(ctx, selectPerson+" WHERE id = ?", id))
}

// PersonByEmail returns the person with an address, which need not be normalised, or ErrNotFound.
func PersonByEmail(ctx context.Context, q db.Querier, email string) (Person, error) {
	normal, err := NormalizeEmail(email)
	if err != nil {
		return Person{}, ErrNotFound
	}
	return scanPerson(q.QueryRow(ctx, selectPerson+" WHERE email = ?", normal))
}

// lockPerson reads a person and keeps others from changing him until the end of the transaction.
func lockPerson(ctx context.Context, tx *db.Tx, id int64) (Person, error) {
	return scanPerson(tx.QueryRow(ctx, selectPerson+" WHERE id = ?"+tx.Dialect().ForUpdate(), id))
}

// PeopleFilter narrows a list of people; zero fields do not.
type PeopleFilter struct {
	EmailPrefix string // at most the first db.SearchLimit of them are looked at
	NamePrefix  string // in any case, likewise
	Status      Status
	AffiliateID int64
	Role        access.Role
	Since       int64 // with an id of this or above
}

// heldWith are all the texts of roles, as they are stored, that hold one of them.
func heldWith(role access.Role) []any {
	sets := [][]access.Role{nil}
	for _, r := range access.Roles() {
		for _, set := range sets {
			sets = append(sets, append(slices.Clone(set), r))
		}
	}
	var out []any
	for _, set := range sets {
		if slices.Contains(set, role) {
			out = append(out, joinRoles(set))
		}
	}
	return out
}

// People returns people with an id below before (0: from the newest), the newest first.
func (s *Service) People(ctx context.Context, f PeopleFilter, before int64, limit int) ([]Person, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	query, args := selectPerson+" WHERE id >= ? AND id < ?", []any{f.Since, before}
	if prefix := strings.ToLower(strings.TrimSpace(f.EmailPrefix)); prefix != "" {
		query, args = query+" AND "+db.PrefixIn("people", "id", "email"), append(args, db.PrefixArgs(prefix)...)
	}
	if prefix := strings.TrimSpace(f.NamePrefix); prefix != "" {
		query, args = query+" AND "+db.PrefixIn("people", "id", "name_lower"), append(args, db.PrefixArgs(s.db.Dialect().Lower(prefix))...)
	}
	if f.AffiliateID != 0 {
		query += " AND affiliate_id = ?"
		args = append(args, f.AffiliateID)
	}
	if f.Role != "" {
		texts, column := heldWith(f.Role), "roles"
		if f.Role == access.RoleAffiliate || f.Role == access.RoleLearner {
			column = "+roles" // so many that SQLite must not sort them
		}
		query, args = query+" AND "+column+" IN "+db.In(len(texts)), append(args, texts...)
	}
	if f.Status != "" {
		query += " AND status = ?"
		args = append(args, string(f.Status))
	}
	rows, err := s.db.Query(ctx, query+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Person
	for rows.Next() {
		p, err := scanPerson(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return out, nil
}

// insertPerson writes a new person with a password hash ("": none). The error is ErrTaken if the address is somebody's.
func (s *Service) insertPerson(ctx context.Context, tx *db.Tx, p Person, phc string) error {
	made, err := tx.TryInsert(ctx, `INSERT INTO people (id, email, name, roles, affiliate_id, status, password, password_changed_at, created_at, updated_at, erased_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`, p.ID, p.Email, p.Name, joinRoles(p.Roles), p.AffiliateID, string(p.Status), phc, p.CreatedAt, p.CreatedAt, p.UpdatedAt)
	if err != nil {
		return fmt.Errorf("insert person: %w", err)
	}
	if !made {
		return ErrTaken
	}
	return nil
}

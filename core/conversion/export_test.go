package conversion

// Where is the condition of List, for a test of its query plan.
func (f Filter) Where() (where string, args []any) { return f.where() }

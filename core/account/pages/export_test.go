package pages

// Speak makes the pages speak these languages and no other.
func (o *Options) Speak(texts ...*Text) { o.texts = texts }

// English is a copy of the texts, to be changed.
func English() *Text { return english() }

// Languages are those that there are.
func Languages() []*Text { return languages() }

// Problem says what went wrong.
func (p *Pages) Problem(t *Text, err error) (int, string) { return p.problem(t, err) }

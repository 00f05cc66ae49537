package site

// Speak makes the pages speak these languages and no other.
func (o *Options) Speak(texts ...*Text) { o.texts = texts }

// English is a copy of the texts, to be changed.
func English() *Text { return english() }

package pages

import (
	"fmt"
	"html/template"

	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/locale"
)

// languages are those that the pages speak, as the browser of the reader asks for them. Another one is another function like
// english, in a file of its own. The first is spoken to who asks for none that there is.
func languages() []*Text { return []*Text{english()} }

// Text is everything that the pages say in one language. Strings with %s are filled in, in another order as %[2]s. Tests check
// that every one is set, takes the same values in each language, and is used.
type Text struct {
	Tag language.Tag

	// Every page.
	Demo, Menu, Courses, Affiliates, Legal, Terms, Privacy, Contact string

	// Sign-in, and what several forms ask for.
	SignIn, Email, Password, Forgotten, NoAccount, CreateOne    string
	FactorTitle, Factor, FactorText, Code, FactorHint, SomeElse string
	GoOn                                                        string

	// Sign-up and forgotten passwords.
	SignUp, Invited, SignUpText, Name, AsAffiliate, AsAffiliateHint, SendLink, HaveAccount string
	Forgot, ForgotText, BackToSignIn                                                       string
	Sent, SentSignUp, SentReset, SentHint, ToSignIn                                        string

	// Passwords and addresses, by a link from a mail.
	ChoosePassword, ChooseNewPassword, PasswordFor, PasswordRule, Again, SavePassword string
	PasswordsDiffer, PasswordSaved, PasswordSavedNew, PasswordSavedReset              string
	EmailTitle, EmailHeading, EmailText, Confirm, EmailConfirmed, EmailConfirmedText  string
	BadLinkTitle, BadLinkHeading, AskForLink                                          string

	// Programs that act for somebody.
	ConsentTitle, Consent, ConsentWho, ConsentWhere, Refuse, Allow string
	Scopes                                                         map[string]string // by name: what is allowed, after ConsentWho
	OtherScope                                                     string

	// Signed in and out.
	SignedIn, Hello, SignedInAs                                                string
	SignOut, SignOutHeading, SignOutText, Stay                                 string
	SignedOut, SignedOutHeading, SignedOutText, SignInAgain, BeginAgain, Begun string

	// What goes wrong.
	Refused, CrossSite, Unreadable, Stale, TooManyForms, NotFound, NotFoundText string
	Invalid                                                                     map[string]string // by the reason that accounts give: a sentence
	InvalidOther                                                                string
	TooManyMinutes, TooManyHours                                                locale.Plural
	Credentials, BadCode, Suspended, BadLink, Taken, Busy, Failed               string
}

// say fills values into a text within a page. They are escaped, unless emphasis or the like has made HTML of them.
func say(text string, values ...any) template.HTML {
	for i, v := range values {
		if _, safe := v.(template.HTML); !safe {
			values[i] = template.HTMLEscapeString(fmt.Sprint(v))
		}
	}
	return template.HTML(fmt.Sprintf(template.HTMLEscapeString(text), values...)) //nolint:gosec // everything in it is escaped
}

// strong emphasizes a value.
func strong(value string) template.HTML {
	return template.HTML("<strong>" + template.HTMLEscapeString(value) + "</strong>") //nolint:gosec // escaped
}

package pages

import (
	"golang.org/x/text/language"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/account"
	"github.com/edgeref/edgeref/core/account/password"
	"github.com/edgeref/edgeref/core/locale"
)

func english() *Text {
	t := &Text{
		Tag: language.MustParse("en-IN"),

		Demo: "Demo data: everything here is made up, and no money moves.", Menu: "Main", Courses: "Courses", Affiliates: "Affiliates", Legal: "Legal",
		Terms: "Terms", Privacy: "Privacy", Contact: "Contact",
	}
	t.signInEnglish()
	t.signUpEnglish()
	t.linksEnglish()
	t.consentEnglish()
	t.signedEnglish()
	t.problemsEnglish()
	return t
}

func (t *Text) signInEnglish() {
	t.SignIn, t.Email, t.Password, t.Forgotten = "Sign in", "E-mail address", "Password", "Forgotten?"
	t.NoAccount, t.CreateOne = "No account yet?", "Create one"
	t.FactorTitle, t.Factor, t.Code, t.GoOn = "Second factor", "One more step", "Code", "Go on"
	t.FactorText = "Open your authenticator app and enter the code that it shows for %s."
	t.FactorHint = "Your phone is not at hand? Enter one of your recovery codes instead."
	t.SomeElse = "Sign in as somebody else"
}

func (t *Text) signUpEnglish() {
	t.SignUp, t.SignUpText, t.Name = "Create an account", "We send you a link; with it you choose a password.", "Name"
	t.Invited = "You were invited by one of our affiliates. Your application names them."
	t.AsAffiliate, t.AsAffiliateHint = "I want to refer buyers as an affiliate", "Somebody looks at your application first."
	t.SendLink, t.HaveAccount = "Send me the link", "You have an account?"
	t.Forgot, t.ForgotText = "Forgotten password", "Enter the address of your account. We send you a link to a new password."
	t.BackToSignIn, t.ToSignIn = "Back to the sign-in", "To the sign-in"
	t.Sent = "Look into your mail"
	t.SentSignUp = "If the address can have an account, a mail with a link to finish is on its way to it. It is good for a day."
	t.SentReset = "If somebody has an account with this address, a mail with a link to a new password is on its way to it. It is good for three hours."
	t.SentHint = "If nothing comes within some minutes, look into the folder for spam too."
}

func (t *Text) linksEnglish() {
	t.ChoosePassword, t.ChooseNewPassword, t.PasswordFor = "Choose a password", "Choose a new password", "For %s"
	t.PasswordRule = "10 characters or more. A few words that do not belong together are easy to remember and hard to guess."
	t.Again, t.SavePassword, t.PasswordsDiffer = "The same once more", "Save password", "The two passwords are not the same."
	t.PasswordSaved = "Password saved"
	t.PasswordSavedReset = "From now on you sign in with it. All other devices were signed out."
	t.PasswordSavedNew = "Your account is ready: sign in with your address and the password."
	t.EmailTitle, t.EmailHeading, t.EmailText, t.Confirm = "Confirm address", "Confirm your address", "From now on your account has the address %s.", "Confirm"
	t.EmailConfirmed, t.EmailConfirmedText = "Address confirmed", "Your account has the address %s now."
	t.BadLinkTitle, t.BadLinkHeading, t.AskForLink = "Not good any more", "This link is not good any more", "Ask for another link"
}

func (t *Text) consentEnglish() {
	t.ConsentTitle, t.Consent, t.ConsentWho = "Allow access", "Allow %s to act for you?", "You are signed in as %s. %s wants to"
	t.ConsentWhere = "It is not made by %s. After this you go to %s."
	t.Refuse, t.Allow = "Refuse", "Allow"
	t.Scopes = map[string]string{
		"openid": "know that it is you", "profile": "see your name", "email": "see your e-mail address",
		"offline_access":             "act for you also while you are away, until you sign out",
		string(access.Me):            "see and change your account",
		string(access.AffiliateSelf): "see and change your links, and see your figures, commissions and payouts",
		string(access.LearnerSelf):   "see your orders and courses",
		string(access.Admin):         "do everything that you may do",
	}
	t.OtherScope = "use what the right “%s” allows you"
}

func (t *Text) signedEnglish() {
	t.SignedIn, t.Hello, t.SignedInAs = "Signed in", "Hello %s", "You are signed in as %s."
	t.SignOut, t.SignOutHeading, t.Stay = "Sign out", "Sign out?", "Stay signed in"
	t.SignOutText = "Programs that act for you through this sign-in are signed out too."
	t.SignedOut, t.SignedOutHeading, t.SignInAgain = "Signed out", "You are signed out", "Sign in again"
	t.SignedOutText = "Nobody can use this browser in your name any more."
	t.BeginAgain = "Begin again"
	t.Begun = "The sign-in took too long, or it began in another browser. Go back to the program or page that you came from, and begin there again."
}

func (t *Text) problemsEnglish() {
	t.Refused = "That did not work"
	t.NotFound, t.NotFoundText = "There is nothing here", "The page that you asked for does not exist."
	t.CrossSite, t.Unreadable = "The form came from another site. Open the page anew and try again.", "The form could not be read."
	t.Stale = "The page was open for too long, or your browser keeps no cookies. Open it anew and try again."
	t.TooManyForms = "Too many attempts from your network. Wait a minute and try again."
	t.Invalid = map[string]string{
		account.ReasonEmail:     "The e-mail address is not an address like ann@example.com.",
		account.ReasonEmpty:     "The name is empty.",
		account.ReasonLong:      "The name is longer than 255 bytes.",
		account.ReasonText:      "The name holds characters that are not text.",
		account.ReasonAffiliate: "Applications of affiliates are not taken here.",
		password.TooShort:       "The password must have 10 characters at least.",
		password.TooLong:        "The password is longer than 200 bytes.",
		password.Untypable:      "The password holds characters that cannot be typed.",
		password.Repeated:       "The password is one short pattern, repeated.",
		password.Common:         "The password is one of the passwords that are tried first.",
		password.LikeEmail:      "The password is little more than the e-mail address.",
	}
	t.InvalidOther = "What you entered cannot be used."
	t.TooManyMinutes = locale.Plural{One: "Too many attempts. Try again in a minute.", Other: "Too many attempts. Try again in %d minutes."}
	t.TooManyHours = locale.Plural{Other: "Too many attempts. Try again in %d hours."} // two at least
	t.Credentials, t.BadCode = "The address or the password is not right.", "The code is not right, or was used before. Wait for the next one."
	t.Suspended, t.Taken = "This account is suspended. Write to support.", "Somebody has this address already."
	t.BadLink = "The link is not good any more: it was used, or is too old."
	t.Busy, t.Failed = "Too much is going on just now. Try again in a moment.", "Something went wrong on our side. Try again in a moment."
}

package site

import "golang.org/x/text/language"

// languages are those that the pages speak; which of them is the owner's choice, with the locale of the site. Another one is
// another function like english, in a file of its own. The first is spoken where there is none for that locale.
func languages() []*Text { return []*Text{english()} }

// Text is everything that the pages say in one language. Strings with %s are filled in, in another order as %[2]s. Tests check
// that every one is set, and used.
type Text struct {
	Tag language.Tag

	// Every page.
	Skip, Products, Affiliates, SignIn, Menu, Legal, Demo string
	Terms, Privacy, Refunds, Contact, TaxNumber           string

	// Landing page.
	HeroAction, HeroSecond                   string
	Points                                   []string
	FeaturedTitle, FeaturedText, AllProducts string
	StepsTitle                               string
	Steps                                    []Step
	QuestionsTitle                           string
	Questions                                []Question
	PartnerTitle, PartnerText, PartnerAction string

	// Products.
	ProductsTitle, ProductsText, NoProducts, More, BundleOf, Free                string
	PlusTax, WithTax, Buy, GetFree, Contains, ApartWorth, InBundle, InBundleSave string
	OtherPrices, AccessAtOnce, InvoicePDF, SecurePay, AllSaved                   string

	// Checkout.
	CheckoutTitle, YourDetails, Name, Email, EmailHint, Country, Region, RegionNone, Address, Optional string
	Business, GSTIN, Coupon, CouponOff, Apply, Update, Summary, Price, Discount, Net, Tax, Total       string
	CGST, SGST, IGST, NoTaxNote, ExportNote, HowToPay, Agree, OrderAndPay, OrderFree, NoGateway        string
	TotalChanged, Problems                                                                             string
	Gateways                                                                                           map[string]string // by name, for the choice
	GatewayNames                                                                                       map[string]string // short
	Invalid                                                                                            map[string]string // by field
	CouponProblems                                                                                     map[string]string // by reason
	SelfPurchase, CannotBuy                                                                            string

	// Payment and receipt.
	PayTitle, PayText, PayAction, PayFailed                                                     string
	States                                                                                      map[string]State // by state of the order
	Receipt, OrderNumber, Date, PaidWith, Buyer, Seller, Invoices, Invoice, CreditNote          string
	Download, Refunded, PayAgain, CheckAgain, Checking, ExpiresAt, OrderAgain, Keep, NotPaidYet string
	NextTitle                                                                                   string
	NextMail, NextAccount, NextAccountAction, NextInvite                                        string

	// Affiliates.
	JoinTitle, JoinText, JoinAction, HaveAccount, Sponsored string
	JoinSteps                                               []Step
	JoinPointsTitle                                         string
	JoinPoints                                              []Step
	JoinQuestions                                           []Question

	// Legal pages.
	NotWritten string

	// What goes wrong.
	NotFoundTitle, NotFoundText, MethodTitle, MethodText, FailedTitle, FailedText, ToStart string
	CrossSite, Unreadable, Stale, TooMany, RefusedTitle                                    string
}

// Step is one of a few that are numbered or listed.
type Step struct{ Title, Text string }

// Question and its answer.
type Question struct{ Question, Answer string }

// State says how an order stands.
type State struct{ Title, Text string }

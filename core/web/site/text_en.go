package site

import "golang.org/x/text/language"

// english is also what is shown to who asks for a language that there is not.
func english() *Text {
	t := &Text{
		Tag: language.MustParse("en-IN"),

		Skip: "Skip to content", Products: "Courses", Affiliates: "Affiliates", SignIn: "Sign in", Menu: "Main", Legal: "Legal",
		Demo:  "Demo data: everything here is made up, and no money moves.",
		Terms: "Terms", Privacy: "Privacy", Refunds: "Refunds", Contact: "Contact", TaxNumber: "GSTIN",
	}
	t.landingEnglish()
	t.productsEnglish()
	t.checkoutEnglish()
	t.receiptEnglish()
	t.affiliatesEnglish()
	t.problemsEnglish()
	return t
}

func (t *Text) landingEnglish() {
	t.HeroAction, t.HeroSecond = "See the courses", "Earn as an affiliate"
	t.Points = []string{"Access as soon as you have paid", "A proper tax invoice, at once", "No account needed to buy"}
	t.FeaturedTitle, t.FeaturedText = "Start here", "What most people take first."
	t.AllProducts = "All courses"
	t.StepsTitle = "How it works"
	t.Steps = []Step{
		{"Choose a course", "Read what is in it and what it costs, tax included. There is nothing hidden behind a sign-up."},
		{"Pay your way", "By UPI, card or net banking, on the payment provider’s own page. We never see your card."},
		{"Begin at once", "Your receipt and invoice come by mail, and the course opens as soon as the payment is confirmed."},
	}
	t.QuestionsTitle = "Questions people ask"
	t.Questions = []Question{
		{"Do I need an account to buy?", "No. Your name and e-mail address are enough. With the same address you can open an account later and find everything that you bought there."},
		{"When can I start?", "As soon as the payment is confirmed: with UPI and cards usually within seconds. The page after the payment says so by itself."},
		{"Do I get an invoice?", "Yes. It is on the page after the payment as a PDF, and shows the tax. For a business in India, enter the GSTIN at the checkout."},
		{"What if a payment fails?", "Nothing is booked, and the same order can be paid again for a while at the price that you were shown. Money that was taken by mistake goes back the way it came."},
		{"How do affiliates earn?", "They share a link of their own. Who buys through it brings them a commission, and every one is shown with the click and the rule that it comes from."},
	}
	t.PartnerTitle = "Recommend what helped you, and earn from it"
	t.PartnerText = "Share a link of your own. Each sale through it brings you a commission, with every step of the arithmetic in plain sight."
	t.PartnerAction = "How the programme works"
}

func (t *Text) productsEnglish() {
	t.ProductsTitle, t.ProductsText = "Courses", "Choose one, pay once, and keep it."
	t.NoProducts, t.More = "There is nothing to buy just now. Come back soon.", "More courses"
	t.BundleOf, t.Free = "Bundle of %d", "Free"
	t.PlusTax, t.WithTax = "plus tax", "tax included"
	t.Buy, t.GetFree = "Buy now", "Get it free"
	t.Contains, t.ApartWorth = "What is in the bundle", "%s if bought apart"
	t.InBundle, t.InBundleSave = "Also in %s", "%s in all: save %s"
	t.OtherPrices = "Pay in another currency:"
	t.AccessAtOnce, t.InvoicePDF, t.SecurePay = "Access as soon as the payment is confirmed", "A tax invoice as a PDF, at once", "Payment on the provider’s own secure page"
	t.AllSaved = "You save %s"
}

func (t *Text) checkoutEnglish() {
	t.CheckoutTitle, t.YourDetails = "Checkout", "Your details"
	t.Name, t.Email, t.EmailHint = "Name", "E-mail address", "The receipt and the access go here."
	t.Country, t.Region, t.RegionNone, t.Address, t.Optional = "Country", "State", "Choose a state", "Billing address", "optional"
	t.Business, t.GSTIN = "Buying for a business?", "GSTIN"
	t.Coupon, t.CouponOff, t.Apply, t.Update = "Coupon", "%s is taken off.", "Apply", "Update the total"
	t.Summary, t.Price, t.Discount, t.Net, t.Tax, t.Total = "Your order", "Price", "Coupon %s", "Without tax", "Tax %s", "Total"
	t.CGST, t.SGST, t.IGST = "CGST %s", "SGST %s", "IGST %s"
	t.NoTaxNote, t.ExportNote = "No tax is charged.", "Buyers outside of India pay no tax here."
	t.HowToPay, t.Agree = "How do you want to pay?", "With the order you agree to our"
	t.OrderAndPay, t.OrderFree = "Pay %s", "Get it free"
	t.NoGateway = "Nothing can be paid just now. Try again later."
	t.TotalChanged = "The total has changed to %s. Look at it, and confirm it with the button."
	t.Problems = "Something is still missing"
	t.Gateways = map[string]string{
		"razorpay": "UPI, card, net banking or wallet", "stripe": "Credit or debit card", "sandbox": "Sandbox: play the payment, no money moves",
	}
	t.GatewayNames = map[string]string{"razorpay": "Razorpay", "stripe": "Stripe", "sandbox": "Sandbox"}
	t.Invalid = map[string]string{
		"name": "Enter your name, as it shall stand on the invoice.", "email": "Enter an e-mail address like ann@example.com.", "country": "Choose a country from the list.",
		"state": "Choose a state from the list.", "address": "The address is too long, or holds characters that are not text.",
		"gstin": "This GSTIN is not right: it has 15 characters, is for businesses in India only, and must be of the state that you chose.",
		"items": "This cannot be bought any more.", "currency": "It cannot be paid in this currency.", "gateway": "Choose how you want to pay.",
	}
	t.CouponProblems = map[string]string{
		"coupon_unknown": "There is no such coupon.", "coupon_not_yet_valid": "This coupon is not valid yet.", "coupon_expired": "This coupon is not valid any more.",
		"coupon_used_up": "This coupon has been used up.", "coupon_used_by_customer": "You have used this coupon already.",
		"coupon_not_for_products": "This coupon is not for this course.",
	}
	t.SelfPurchase = "Affiliates of this programme cannot buy for themselves. Write to us if this is a mistake."
	t.CannotBuy = "This cannot be bought any more."
}

func (t *Text) receiptEnglish() {
	t.PayTitle, t.PayText, t.PayAction = "On to the payment", "You pay %s on the page of %s, and come back here by yourself.", "Go on to %s"
	t.PayFailed = "The payment provider does not answer just now. Nothing was charged, and your order is kept: try again."
	t.States = map[string]State{
		"created":         {"Your order waits for its payment", "Nothing has been charged yet."},
		"pending":         {"Waiting for the payment", "The provider has not confirmed it yet. This page looks again by itself; you need not keep it open, the receipt comes by mail too."},
		"failed":          {"The payment did not go through", "Nothing was charged. You can try again, also in another way."},
		"expired":         {"This order has expired", "It was not paid in time, and nothing was charged. If you have paid and see this, the payment is on its way and this page will show it."},
		"paid":            {"Thank you, %s!", "Your payment is confirmed, and everything below is yours."},
		"partly_refunded": {"A part was refunded", "The money goes back the way it came; that takes a few days."},
		"refunded":        {"This order was refunded", "The money goes back the way it came; that takes a few days."},
		"disputed":        {"This payment is disputed", "Your bank is looking into it. Until it has decided, the provider holds the money back."},
		"charged_back":    {"This payment was charged back", "Your bank gave the money back, so the order is closed."},
	}
	t.Receipt, t.OrderNumber, t.Date, t.PaidWith, t.Buyer, t.Seller = "Receipt", "Order", "Date", "Paid with", "Billed to", "Sold by"
	t.Invoices, t.Invoice, t.CreditNote, t.Download = "Documents", "Invoice %s", "Credit note %s", "PDF"
	t.Refunded, t.PayAgain, t.CheckAgain, t.Checking = "Refunded", "Pay %s", "Look again", "This page looks again in %d seconds."
	t.ExpiresAt, t.OrderAgain = "The price is kept until %s.", "Order it again"
	t.Keep, t.NotPaidYet = "Only who has this address sees the order: keep it to yourself.", "Not paid yet? Pay now"
	t.NextTitle = "What happens next"
	t.NextMail = "The receipt is on its way to %s."
	t.NextAccount, t.NextAccountAction = "Open an account with the same address to begin, and to find your orders again.", "Open your account"
	t.NextInvite = "Do you know somebody whom this would help too? Earn by recommending it."
}

func (t *Text) affiliatesEnglish() {
	t.JoinTitle = "Recommend. They learn. You earn."
	t.JoinText = "Share a link of your own to what you believe in. When somebody buys through it, a part of the price is yours."
	t.JoinAction, t.HaveAccount, t.Sponsored = "Apply as an affiliate", "Sign in", "You were invited by one of our affiliates; your application names them."
	t.JoinSteps = []Step{
		{"Apply", "Tell us who you are. Somebody reads each application; then your links work."},
		{"Share", "Make links to any course, with names of your own for each place where you share them."},
		{"Get paid", "Commissions wait as long as buyers may return what they bought. Then you are paid to your bank account or UPI."},
	}
	t.JoinPointsTitle = "What you can count on"
	t.JoinPoints = []Step{
		{"Every commission explained", "Which click, which rule, which arithmetic: it stands beside each amount."},
		{"No click is lost", "Links answer also while everything behind them is down, and each click is on disk before the visitor moves on."},
		{"A ledger that adds up", "What you are owed is booked twice and never edited. You see each line of it."},
		{"Figures as they happen", "Clicks, sales and earnings by link, place and day, within seconds."},
	}
	t.JoinQuestions = []Question{
		{"What does it cost?", "Nothing, and there is nothing that you have to buy."},
		{"When am I paid?", "After the waiting time of the programme, in which buyers may return what they bought. Your account shows the day for each commission."},
		{"May I buy through my own link?", "No, unless the programme says so. Such orders are recognised by their address."},
		{"What about tax?", "You enter your tax details once. What has to be withheld is shown on each payout, with a statement."},
	}
}

func (t *Text) problemsEnglish() {
	t.NotWritten = "This page has not been written yet. If you need to know now, write to us."
	t.NotFoundTitle, t.NotFoundText = "There is nothing here", "The page was moved, or the address has a mistake in it."
	t.MethodTitle, t.MethodText = "That is not how this page works", "Open it from the start and try again."
	t.FailedTitle, t.FailedText = "Something went wrong on our side", "It has been noted. Try again in a moment; nothing that you paid is lost."
	t.ToStart = "To the start"
	t.RefusedTitle = "That did not work"
	t.CrossSite = "The form came from another site. Open the page anew and try again."
	t.Unreadable = "The form could not be read. Open the page anew and try again."
	t.Stale = "The page was open for too long, or your browser keeps no cookies. Open it anew and try again."
	t.TooMany = "There were too many requests from your network. Wait a minute and try again."
}

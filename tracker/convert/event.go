package convert

import (
	"errors"
	"strings"

	"github.com/edgeref/edgeref/wire/click"
	"github.com/edgeref/edgeref/wire/conversion"
	"github.com/edgeref/edgeref/wire/link"
	"github.com/edgeref/edgeref/wire/money"
)

// readClickID reads and verifies a Click ID; the zero ID where text is "".
func (h *Handler) readClickID(text string) (click.ID, *refusal) {
	if text == "" {
		return click.ID{}, nil
	}
	id, err := click.ParseVerified(h.Keys, text)
	switch {
	case err == nil:
		return id, nil
	case errors.Is(err, click.ErrUnknownKey):
		return click.ID{}, bad(codeClickIDKeyUnknown, "The Click ID was signed with a key that is not in use any more.")
	case errors.Is(err, click.ErrForged):
		return click.ID{}, bad(codeClickIDForged, "The Click ID's signature does not match: it was changed or not made here.")
	}
	return click.ID{}, bad(codeClickIDMalformed, "The Click ID is not one: it must have %d characters, exactly as it was handed over.", click.IDTextLen)
}

// eventOf makes the event that the parameters describe. What depends on who sent it (program, channel, time) is the
// caller's.
func eventOf(r *reader, program *link.Program) (conversion.Event, *refusal) {
	e := conversion.Event{
		ProgramID: program.ID, TxnID: r.get(fieldTxid()), RefTxnID: r.get(fieldRefTxid()), Name: r.get(fieldEvent()),
		Customer: conversion.CustomerKey(r.get(fieldCustomer())), Coupon: r.get(fieldCoupon()), // an address goes no further
	}
	status, amount, currency := strings.ToLower(strings.TrimSpace(r.get(fieldStatus()))), r.get(fieldAmount()), strings.ToUpper(r.get(fieldCurrency()))
	if r.err != nil {
		return e, r.err
	}
	var refused *refusal
	if e.Type, refused = typeOf(status, amount != ""); refused != nil {
		return e, refused
	}
	if currency != "" {
		if _, err := money.Decimals(currency); err != nil {
			return e, bad(codeCurrencyUnknown, "%.8q is not an ISO 4217 currency that can be booked.", currency)
		}
	}
	if amount != "" {
		if currency == "" {
			currency = program.Currency
		}
		if e.Amount, refused = amountOf(amount, currency); refused != nil {
			return e, refused
		}
	}
	return e, checkEvent(&e)
}

// typeOf is the kind of conversion. Without a status, what has an amount is a sale and what has none is a lead.
func typeOf(status string, hasAmount bool) (conversion.Type, *refusal) {
	switch t := conversion.Type(status); t {
	case conversion.Lead, conversion.Sale, conversion.Refund, conversion.Rejected:
		return t, nil
	case "":
		if hasAmount {
			return conversion.Sale, nil
		}
		return conversion.Lead, nil
	}
	return "", bad(codeStatusUnknown, "status is %.32q; it must be lead, sale, refund or rejected.", status)
}

func amountOf(decimal, currency string) (*money.Amount, *refusal) {
	if currency == "" {
		return nil, bad(codeCurrencyMissing, "An amount needs a currency: the program has no default.")
	}
	a, err := money.Parse(decimal, currency)
	switch {
	case err == nil:
		return &a, nil
	case errors.Is(err, money.ErrCurrency):
		return nil, bad(codeCurrencyUnknown, "%.8q is not an ISO 4217 currency that can be booked.", currency)
	case errors.Is(err, money.ErrNegative):
		return nil, bad(codeAmountNegative, "The amount is negative; send a refund as status=refund with a positive amount.")
	case errors.Is(err, money.ErrPrecision):
		return nil, bad(codeAmountPrecision, "The amount has more decimals than %s has.", currency)
	case errors.Is(err, money.ErrRange):
		return nil, bad(codeAmountOutOfRange, "The amount is too large.")
	}
	return nil, bad(codeAmountMalformed, "The amount must be a decimal number in major units, as 1499.50, without sign, exponent or separators.")
}

// checkEvent names what is wrong with an event; Validate has the last word.
func checkEvent(e *conversion.Event) *refusal {
	takesBack := e.Type == conversion.Refund || e.Type == conversion.Rejected
	switch {
	case e.TxnID == "":
		return bad(codeTxidMissing, "txid is missing: the merchant's own id of this lead, sale or refund.")
	case !validText(e.TxnID):
		return bad(codeTxidInvalid, "txid must have at most %d bytes and no control characters.", conversion.MaxText)
	case !validText(e.RefTxnID):
		return bad(codeRefTxidInvalid, "ref_txid must have at most %d bytes and no control characters.", conversion.MaxText)
	case !validText(e.Name):
		return bad(codeEventInvalid, "event must have at most %d bytes and no control characters.", conversion.MaxText)
	case !validText(e.Customer) || !validText(e.Coupon):
		return bad(codeCustomerInvalid, "customer and coupon must have at most %d bytes and no control characters.", conversion.MaxText)
	case e.RefTxnID != "" && !takesBack:
		return bad(codeRefTxidUnexpected, "Only a refund or rejection refers to another transaction.")
	case e.Type == conversion.Sale && e.Amount == nil:
		return bad(codeAmountMissing, "A sale needs an amount.")
	case (e.Type == conversion.Lead || e.Type == conversion.Rejected) && e.Amount != nil:
		return bad(codeAmountUnexpected, "A %s has no amount.", e.Type)
	case e.Type == conversion.Refund && e.Amount != nil && e.Amount.Minor == 0:
		return bad(codeAmountOutOfRange, "A refund of nothing cannot be booked; leave the amount out to refund all that is left.")
	}
	if err := e.Validate(); err != nil {
		return bad(codeConversionInvalid, "%v", err)
	}
	return nil
}

func validText(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return len(s) <= conversion.MaxText
}

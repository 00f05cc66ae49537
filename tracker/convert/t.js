// Keeps the Click ID that a visitor brought along, and tells leads and sales.
//
//   <script src="https://TRACKER/t.js" data-param="click_id" data-days="30"></script>
//   edgeref.lead({txid: "signup-17"})
//   edgeref.sale({txid: "order-42", amount: "1499.50", currency: "INR", customer: "4711", coupon: "SPRING"})
//
// Both return a promise of {ok, code}; they never throw. Nothing is sent anywhere but to the tracker.
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script || !script.src) return;
  var endpoint = new URL("/pixel.gif", script.src).href;
  var param = script.getAttribute("data-param") || "click_id";
  var seconds = (Number(script.getAttribute("data-days")) || 30) * 86400;
  var name = "er_cid";
  var form = /^[-0-9A-Z_a-z]{60}$/;

  function fromPage() {
    var value = new URLSearchParams(location.search).get(param);
    return value && form.test(value) ? value : "";
  }

  function fromCookie() {
    var found = ("; " + document.cookie).split("; " + name + "=")[1];
    var value = found ? found.split(";")[0] : "";
    return form.test(value) ? value : "";
  }

  // Local storage stands in where the browser cuts short the life of cookies that scripts set, or refuses them.
  function fromStorage() {
    try {
      var kept = JSON.parse(localStorage.getItem(name) || "{}");
      return kept.until > Date.now() && form.test(kept.id) ? kept.id : "";
    } catch (e) {
      return "";
    }
  }

  function keep(id) {
    document.cookie = name + "=" + id + "; Max-Age=" + seconds + "; Path=/; SameSite=Lax" +
      (location.protocol === "https:" ? "; Secure" : "");
    try {
      localStorage.setItem(name, JSON.stringify({ id: id, until: Date.now() + seconds * 1000 }));
    } catch (e) {
      // The cookie has it.
    }
  }

  function clickId() {
    return fromPage() || fromCookie() || fromStorage();
  }

  function tell(status, fields) {
    var query = new URLSearchParams({ via: "script", status: status });
    var id = clickId();
    if (id) query.set("click_id", id);
    ["txid", "amount", "currency", "event", "customer", "coupon"].forEach(function (f) {
      if (fields && fields[f] !== undefined && fields[f] !== null) query.set(f, String(fields[f]));
    });
    // keepalive lets the request outlive the page, as when a purchase leads on to another one.
    return fetch(endpoint + "?" + query, { keepalive: true, cache: "no-store", credentials: "omit" }).then(function (res) {
      if (res.ok) return { ok: true, code: "accepted" };
      return res.json().then(function (problem) { return { ok: false, code: problem.code }; });
    }).catch(function () {
      return { ok: false, code: "unreachable" };
    });
  }

  var id = fromPage();
  if (id) keep(id);
  window.edgeref = {
    clickId: clickId,
    lead: function (fields) { return tell("lead", fields); },
    sale: function (fields) { return tell("sale", fields); }
  };
})();

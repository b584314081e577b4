"""Words: what columns and kinds are called in the tables that businesses keep."""

ID = {"id", "no", "nr", "num", "number", "key", "code", "ref", "uuid"}
CUSTOMER = {"customer", "client", "household", "user", "member", "subscriber", "account", "person"}
CUSTOMER |= {"cust", "patient", "guest", "shopper", "buyer", "kunde", "kunden", "party", "visitor"}
WHEN = {"occurred", "date", "time", "timestamp", "datetime", "day", "when", "at", "on", "ts"}
LATER = {"recorded", "loaded", "load", "ingested", "ingest", "ingestion", "inserted", "received"}
CHANGED = {"updated", "update", "modified", "changed", "processed", "edited", "refreshed"}
KNOWN = LATER | CHANGED | {"known"}
DUE = {"due", "promised", "deadline"}
MONEY = {"amount", "total", "sales", "revenue", "paid", "spend", "spent", "value", "turnover"}
MONEY |= {"gross", "net", "sum", "betrag", "umsatz", "payment", "charge", "charged"}
PRICE, QUANTITY = {"price", "unitprice", "preis"}, {"quantity", "qty", "units", "count", "menge"}
RATE = {"rate", "percent", "percentage", "pct", "ratio"}
PART = RATE | {"tax", "vat", "discount", "shipping", "postage", "fee", "tip"}
GROUP = {"invoice", "order", "basket", "transaction", "receipt", "bill", "cart", "purchase"}
KIND = {"kind", "event", "type", "action", "activity", "interaction"}
CHANNEL = {"channel", "medium", "touchpoint", "via", "platform"}
TOPIC = {"category", "topic", "subject", "department", "product", "section", "group"}
CASE = {"case", "ticket", "incident", "issue", "claim", "complaint"}
OFFER = {"offer", "campaign", "coupon", "promotion", "promo", "voucher"}
NOT_WHO = GROUP | KIND | CHANNEL | TOPIC | CASE | OFFER | {"item", "sku", "store", "shop"}
ABOUT = {"name", "email", "mail", "phone", "type", "segment", "group", "age", "country", "city"}
ARTICLE = {"description", "article", "item", "product", "title", "style", "brand"}
STAFF = {"agent", "staff", "employee", "clerk", "seller", "support", "sender", "rep"}
PEOPLE = CUSTOMER | {"people", "demographics", "profile", "crm"}
PERSONAL = {"signup", "sign", "registered", "registration", "joined", "birth", "birthday", "dob"}
PERSONAL |= {"birthdate", "enrolled", "onboarded", "churned", "since", "first", "last", "member"}
LATELY = {"churned", "churn", "cancelled", "last", "lifetime", "ltv", "clv", "total", "spent"}
LATELY |= {"status", "balance", "revenue", "orders", "purchases", "visits"}
"""What people's tables call that which is known of them only afterwards."""
HAPPENED = {"event", "visit", "log", "activity", "interaction", "click", "session", "history"}
WAIT, RATING = {"wait", "waiting", "waited", "hold", "queue"}, {"rating", "satisfaction", "csat"}
RESOLVED = {"resolved", "solved", "closed", "fixed"}
TRUTHS = {"true", "false", "t", "f", "yes", "no", "y", "n", "0", "1"}
MEANINGS = {
    "offer_accepted": {"accepted", "accept", "redeemed", "redemption", "redeem", "converted"},
    "offer_declined": {"declined", "decline", "rejected", "unsubscribe", "unsubscribed", "refused"},
    "offer_shown": {"shown", "mailed", "mailing", "sent", "impression", "exposed", "delivered"},
    "detail": {"item", "line", "article", "detail"},
    "exit": {"cancellation", "cancel", "cancelled", "churn", "churned", "closure", "terminated"},
    "negative": {"return", "refund", "complaint", "complain", "chargeback", "dispute", "returned"},
    "advocacy": {"referral", "review", "recommendation", "refer", "recommend"},
    "contact": {"enquiry", "inquiry", "call", "contact", "service", "support", "ticket", "chat"},
    "value": {"purchase", "order", "sale", "buy", "bought", "payment", "transaction", "basket"}
    | {"checkout", "renewal", "renew", "subscription", "invoice", "booking", "deposit"},
}
"""By role, the words that kinds are called by; the first role whose word occurs has the kind."""

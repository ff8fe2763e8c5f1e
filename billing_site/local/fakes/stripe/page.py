"""The pages of the fake: of Checkout Sessions that pay or save a card, and the bank's page of a charge."""

from billing_site.local.fakes.server import Answer, Request, page, redirect
from billing_site.local.fakes.stripe.account import Account
from billing_site.local.fakes.stripe.charges import Charges
from billing_site.local.fakes.stripe.objects import Thing
from billing_site.local.fakes.stripe.setups import Setups

PATH, BANK, SETUP = "/c/pay/", "/c/bank/", "/c/setup/"
BUTTONS = [
    ("pay", "Pay"),
    ("decline", "Pay with a card that is declined"),
    ("ask_bank", "Pay with 3-D Secure"),
    ("pay_later", "Pay by bank debit, which takes days"),
    ("cancel", "Cancel"),
]
AT_THE_BANK = [("pay", "Approve"), ("refuse", "Refuse"), ("cancel", "Cancel")]


def answer(account: Account, request: Request) -> Answer:
    """Return the page of a session, or do what the customer pressed: POST /c/pay/<session>/<button>."""
    name, _, button = request.path.removeprefix(PATH).partition("/")
    session = account.objects.get(name)
    if session is None or session["object"] != "checkout.session":
        return page("No such page", [], [])
    if request.method == "POST" and button == "cancel":
        return redirect(session["cancel_url"])
    if request.method != "POST" or session["status"] != "open":
        return _show(account, session)
    match button:
        case "pay":
            account.pay(name)
        case "pay_later":
            account.pay_later(name)
        case "decline":
            account.decline(name)
        case "refuse":
            account.decline(name, code="authentication_required")
        case "ask_bank":
            account.ask_bank(name)
    return redirect(session["success_url"]) if session["status"] == "complete" else _show(account, session)


def bank(charges: Charges, request: Request) -> Answer:
    """Return the bank's page of a charge, or do what the customer pressed: POST /c/bank/<intent>/<button>."""
    name, _, button = request.path.removeprefix(BANK).partition("/")
    intent = charges.account.objects.get(name, {})
    if intent.get("status") != "requires_action":
        return page("This page is closed", [f"The charge is {intent.get('status', 'unknown')}."], [])
    if request.method != "POST":
        lines = [f"{intent['amount']} {intent['currency'].upper()} in the smallest unit. This is a fake."]
        buttons = [(f"{BANK}{name}/{each}", each.title()) for each in ("approve", "refuse")]
        return page("Your bank asks: is it you?", lines, buttons)
    return_url = intent["next_action"]["redirect_to_url"]["return_url"]
    if button == "approve":
        charges.approve(name)
    else:
        charges.refuse(name)
    return redirect(return_url)


def setup(setups: Setups, request: Request) -> Answer:
    """Return the page that saves a card, or do what the customer pressed: POST /c/setup/<session>/<button>."""
    name, _, button = request.path.removeprefix(SETUP).partition("/")
    session = setups.account.objects.get(name, {})
    if session.get("status") != "open":
        return page("This page is closed", [f"The session is {session.get('status', 'unknown')}."], [])
    if request.method == "POST" and button == "save":
        setups.save(name)
    elif request.method == "POST" and button == "decline":
        setups.refuse_card(name)
    if request.method == "POST" and button in ("save", "cancel"):
        return redirect(session["success_url"] if button == "save" else session["cancel_url"])
    error = setups.account.objects[session["setup_intent"]]["last_setup_error"]
    lines = ["No money is taken. This is a fake.", *([error["message"]] if error else [])]
    buttons = [("save", "Save the card"), ("decline", "Save a card that is declined"), ("cancel", "Cancel")]
    return page("Save a card at the fake Stripe", lines, [(f"{SETUP}{name}/{each}", label) for each, label in buttons])


def _show(account: Account, session: Thing) -> Answer:
    if session["status"] != "open":
        return page("This page is closed", [f"The session is {session['status']}."], [])
    intent = account.objects.get(session["payment_intent"] or "", {})
    is_asked = intent.get("status") == "requires_action"
    lines = [f"{session['amount_total']} {session['currency'].upper()} in the smallest unit. This is a fake."]
    if intent.get("last_payment_error"):
        lines.append(intent["last_payment_error"]["message"])
    buttons = [(f"{PATH}{session['id']}/{button}", label) for button, label in (AT_THE_BANK if is_asked else BUTTONS)]
    return page("Your bank asks: is it you?" if is_asked else "Pay to the fake Stripe", lines, buttons)

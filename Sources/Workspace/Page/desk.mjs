// The agent's desk: what it begins with, and what its buttons do.

import { strings } from "./strings.mjs";
import { Connection } from "./connection.mjs";
import { ask, gateway, leaveFor, session, start, verify } from "./session.mjs";
import {
    alarmText, connectionText, element, fillChoices, fillTexts, problemText, showState, showTimes, showView, write,
    writeLine,
} from "./view.mjs";

let state = null;
let connection = null;
/** What the last request was refused with, until something else happens. */
let trouble = null;
/** How much later the gateway's clock is than ours, ms. */
let ahead = 0;

const now = () => Date.now() + ahead;

function show() {
    const isSeated = state !== null;
    const words = connection ? connectionText(connection.state, isSeated, performance.now()) : connectionText({ phase: "idle" });
    const isAdrift = state?.link.state === "adrift" && words.tone === "good";
    writeLine("health", isAdrift ? strings.lineAdrift : words.health);
    element("health").dataset.tone = isAdrift ? "doubt" : words.tone;
    writeLine("left", words.left);
    writeLine("alarm", words.alarm ?? trouble ?? (isSeated ? alarmText(state) : null));
}

function take(newState) {
    state = newState ?? null;
    if (state === null) {
        showLines();
    } else {
        ahead = state.now - Date.now();
        showState(state, now());
        showView("deskView");
    }
    show();
}

function heard(name, data) {
    switch (name) {
        case "state": trouble = null; return take(data);
        case "notice": trouble = data.text; return show();
        case "renew": return void renew();
    }
}

async function renew() {
    const answer = await ask("POST", "/session/renew", {});
    if (answer.problem && answer.status === 401) signedOut(answer.problem.code);
}

// Signing in and out

function signedOut(reason) {
    connection?.stop();
    connection = null;
    state = null;
    session.clear();
    trouble = reason ? (strings.endings[reason] ?? null) : null;
    element("signOut").hidden = true;
    element("toSupervisor").hidden = true;
    write("who", gateway().gateway);
    document.title = strings.product;
    showView("signInView");
    show();
}

function signedIn(found) {
    trouble = null;
    element("signOut").hidden = false;
    element("toSupervisor").hidden = !found.supervisor;
    write("who", `${found.agent} · ${gateway().gateway}`);
    connection?.stop();
    connection = new Connection({
        path: "/api/v1/events",
        graceMs: gateway().desktopGraceMs,
        others: gateway().gateways.map((each) => each.url).filter((url) => url !== location.origin),
        verify: async () => {
            const event = await verify();
            if (event.type === "verified" && session.current.state) take(session.current.state);
            return event;
        },
        heard,
        changed: show,
        move: leaveFor,
        ended: (reason) => {
            if (reason !== "too-many-tabs") return signedOut(reason);
            trouble = strings.tooManyTabs;
            show();
        },
    });
    connection.start();
    take(found.state);
}

element("signInForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const password = element("password");
    const answer = await press("signInButton", "POST", "/session", { agent: element("agent").value, password: password.value });
    password.value = "";
    if (answer.problem) return password.focus();
    session.take(answer.body);
    signedIn(answer.body);
});

element("signOut").addEventListener("click", async () => {
    const answer = await press("signOut", "DELETE", "/session");
    if (!answer.problem || answer.status === 401) signedOut("logged-out");
});

/** Asks, with the button off meanwhile; says what is refused. */
async function press(id, method, path, body) {
    element(id).disabled = true;
    const answer = await ask(method, path, body);
    element(id).disabled = false;
    trouble = answer.problem ? problemText(answer.problem) : null;
    if (answer.problem && answer.status === 401 && path !== "/session") signedOut(answer.problem.code);
    show();
    return answer;
}

// The line

function showLines() {
    const { dns, anyDN } = session.current;
    fillChoices(
        element("lines"),
        "line",
        dns.map(({ dn, kind, dial }) => ({ value: dn, words: [dn, strings.lineKinds[kind], dial].filter(Boolean).join(" · ") })),
    );
    element("lines").hidden = dns.length === 0;
    element("otherLine").hidden = !anyDN;
    document.title = `${strings.lineHeading}, ${strings.product}`;
    showView("lineView");
}

element("lineForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = element("lines").querySelector(":checked")?.value;
    const dn = element("otherLine").hidden ? chosen : element("number").value.trim() || chosen;
    if (!dn) return element("number").focus();
    const answer = await press("lineButton", "PUT", "/dn", { dn });
    if (answer.body) take(answer.body);
});

element("changeLine").addEventListener("click", async () => {
    const answer = await press("changeLine", "DELETE", "/dn");
    if (!answer.problem) take(null);
});

element("takeBack").addEventListener("click", async () => {
    const answer = await press("takeBack", "PUT", "/dn", { dn: state.dn.dn, takeBack: true });
    if (answer.body) take(answer.body);
});

// Ready or not

async function setPresence(id, wish) {
    const answer = await press(id, "PUT", "/presence", wish);
    if (answer.body) take(answer.body);
    else if (state) showState(state, now());
}

element("ready").addEventListener("click", () => setPresence("ready", { state: "ready" }));
element("wrapUp").addEventListener("click", () => setPresence("wrapUp", { state: "after-call-work" }));

element("notReady").addEventListener("click", () => {
    const reasons = gateway().reasons.map((reason) => ({ value: reason, words: reason, isChosen: false }));
    fillChoices(element("reasons"), "reason", [{ value: "", words: strings.noReason, isChosen: true }, ...reasons]);
    element("reasonDialog").returnValue = "";
    element("reasonDialog").showModal();
});
element("reasonCancel").addEventListener("click", () => element("reasonDialog").close(""));
element("reasonDialog").addEventListener("close", () => {
    if (element("reasonDialog").returnValue !== "ok") return;
    const reason = element("reasons").querySelector(":checked")?.value;
    setPresence("notReady", reason ? { state: "not-ready", reason } : { state: "not-ready" });
});

document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || element("deskView").hidden) return;
    if (element("reasonDialog").open || event.target.closest("input, select, textarea")) return;
    const button = { r: "ready", n: "notReady" }[event.key.toLowerCase()];
    if (!button || element(button).disabled || element(button).hidden) return;
    event.preventDefault();
    element(button).click();
});

// The beginning

setInterval(() => state && showTimes(state, now()), 1000);
fillTexts();
const found = await start((problem) => {
    trouble = problemText(problem);
    show();
});
if (found) signedIn(found);
else signedOut(null);

// The agent's desk: what it begins with, and what its buttons do.

import { strings } from "./strings.mjs";
import { elapsed, onTick } from "./clock.mjs";
import { Connection, secondsLeft } from "./connection.mjs";
import { ask, gateway, isTicketOld, leaveFor, otherGateways, renew, session, start, verify } from "./session.mjs";
import {
    alarmText, connectionText, element, fillChoices, fillTexts, incomingCall, isEnabled, listed, problemText, setEnabled,
    showActions, showElsewhere, showState, showStrip, showTimes, showView, write,
} from "./view.mjs";

/** How long a refusal is shown to who has gone on, in ms. */
const READABLE = 15_000;
/** How long an answer may take before the buttons say that there is none yet, in ms. */
const SLOW = 400;
/** How long something has to be wrong before other gateways are offered, and how often the own one is asked, in ms. */
const TROUBLE = 5_000;

let state = null;
let connection = null;
/** What the last request was refused with, or what has happened; and when. */
let trouble = null;
let troubleTone = "bad";
let troubledAt = 0;
/** What was asked and is not answered: the button, and since when. */
let busy = null;
/** How much later the gateway's clock is than ours, ms. */
let ahead = 0;
/** Since when the gateway hears no node, and when that was asked. */
let deafSince = null;
let askedAt = 0;
/** Since when the beginning does not come to its end. */
let startedAt = elapsed();
let isStarting = true;
/** Whether what is shown is older than the line's life without us. */
let isCutOff = false;

function say(text, tone = "bad") {
    trouble = text;
    troubleTone = tone;
    troubledAt = elapsed();
}

const isLive = () => connection?.state.phase === "live";

function words() {
    const words = isStarting
        ? { health: strings.connecting, tone: "doubt", alarm: null, left: null }
        : connectionText(connection?.state, state !== null, elapsed());
    // What becomes of the line is more than what became of a wish.
    if (words.alarm || (connection && !isLive())) return words;
    const isSeated = state !== null;
    if (isSeated && deafSince !== null) return { ...words, tone: "bad", alarm: strings.deaf };
    if (isSeated && state.link.state === "adrift") {
        const left = Math.max(0, Math.ceil(((state.link.inServiceUntil ?? 0) - Date.now() - ahead) / 1000));
        return { ...words, health: strings.lineAdrift, tone: "doubt", left: left ? strings.adrift(left) : null };
    }
    if (trouble) return { ...words, tone: troubleTone, alarm: trouble };
    if (!isSeated) return words;
    const alarm = alarmText(state);
    return alarm && !isRinging() ? { ...words, tone: "bad", alarm } : { ...words, alarm };
}

/** The page shows the call in large, so the strip need not. */
const isRinging = () => state !== null && state.link.state === "live" && state.dn.service && Boolean(incomingCall(state));

function show() {
    showStrip(words(), isLive() && !trouble && isRinging());
    const since = isStarting ? startedAt : deafSince;
    const isStuck = since !== null && elapsed() - since >= TROUBLE;
    showElsewhere(isStuck ? otherGateways() : [], leaveFor);
    const isSlow = busy !== null && elapsed() - busy.since >= SLOW;
    for (const id of ["signInButton", "lineButton"]) setEnabled(id, !isSlow);
    setEnabled("signOut", !isSlow || busy.id !== "signOut");
    if (state === null) return;
    const wasCutOff = isCutOff;
    isCutOff = secondsLeft(connection.state, elapsed()) === 0;
    if (isCutOff !== wasCutOff) showState(state, ahead, isCutOff);
    showActions(state, isLive() && !isSlow);
}

function take(newState) {
    state = newState ?? null;
    if (state === null) {
        showLines();
    } else {
        ahead = state.now - Date.now();
        if (state.link.state === "live") deafSince = null;
        showState(state, ahead, isCutOff);
        showView("deskView");
    }
    show();
}

function heard(name, data) {
    switch (name) {
        case "state": return take(data);
        case "renew": return void keep();
        case "beat":
            ahead = data.now - Date.now();
            return isTicketOld() ? void keep() : undefined;
        case "notice":
            // The others are states, which are shown as such.
            if (strings.notices[data.code]) say(strings.notices[data.code], "told");
            return show();
    }
}

/** Gets a fresh ticket, for the gateway that comes next. */
async function keep() {
    const event = await renew();
    if (event.type === "refused") signedOut(event.reason);
    if (event.code === "bad-csrf") signedInElsewhere();
}

/** In another tab somebody has signed in, and this browser is theirs. */
async function signedInElsewhere() {
    const answer = await ask("GET", "/session");
    if (answer.status === 401) return signedOut(answer.problem.code);
    if (!answer.body) return;
    signedIn(answer.body);
    say(strings.otherSession(answer.body.agent), "told");
    show();
}

/** Whether the own gateway hears anybody, where the line is not held. */
async function checkHealth() {
    if (!isLive() || !state || state.link.state === "live" || state.link.state === "superseded") return;
    if (elapsed() - askedAt < TROUBLE) return;
    askedAt = elapsed();
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(TROUBLE) }).catch(() => null);
    if (answer) deafSince = answer.ok ? null : (deafSince ?? elapsed());
    show();
}

// Signing in and out

function signedOut(reason) {
    connection?.stop();
    const notice = elapsed() - troubledAt < TROUBLE && state !== null ? trouble : null;
    connection = null;
    state = null;
    deafSince = null;
    isCutOff = false;
    session.clear();
    say(reason ? (notice ?? strings.endings[reason] ?? strings.endings["logged-out"]) : null, "told");
    element("signOut").hidden = true;
    element("toSupervisor").hidden = true;
    if (element("reasonDialog").open) element("reasonDialog").close("");
    write("who", gateway().gateway);
    document.title = `${strings.signIn}, ${strings.product}`;
    showView("signInView");
    show();
}

function signedIn(found) {
    say(null);
    isCutOff = false;
    element("signOut").hidden = false;
    element("toSupervisor").hidden = !found.supervisor;
    write("who", `${found.agent} · ${gateway().gateway}`);
    connection?.stop();
    connection = new Connection({
        path: "/api/v1/events",
        graceMs: gateway().desktopGraceMs,
        others: otherGateways().map((each) => each.url),
        verify: async () => {
            const { csrf } = session.current;
            const event = await verify();
            if (event.type === "verified" && session.current.csrf !== csrf) signedIn(session.current);
            else if (event.type === "verified") take(session.current.state);
            return event;
        },
        heard,
        changed: show,
        move: leaveFor,
        ended: (reason) => (reason === "too-many-tabs" ? tabEnded() : signedOut(reason)),
    });
    connection.start();
    take(found.state);
}

/** What this tab shows would be old. */
function tabEnded() {
    state = null;
    connection = null;
    document.title = strings.product;
    showView("tabView");
    show();
}

element("useTab").addEventListener("click", () => location.reload());

element("signInForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const password = element("password");
    const words = { agent: element("agent").value, password: password.value };
    const answer = await press("signInButton", "POST", "/session", words);
    if (!answer) return;
    password.value = "";
    if (answer.problem) return password.focus();
    session.take(answer.body);
    signedIn(answer.body);
});

element("signOut").addEventListener("click", async () => {
    const answer = await press("signOut", "DELETE", "/session");
    if (answer && (!answer.problem || answer.status === 401)) signedOut("logged-out");
});

/**
 * Asks, one thing at a time, and says what is refused. Who wants to sign out does not wait for anything else.
 *
 * @returns {Promise<object|null>} Null where that cannot be asked now.
 */
async function press(id, method, path, body) {
    if (!isEnabled(id) || (busy !== null && (id !== "signOut" || busy.id === id))) return null;
    const wish = { id, since: elapsed() };
    busy = wish;
    say(null);
    const answer = await ask(method, path, body);
    if (busy === wish) busy = null;
    if (answer.problem) refused(answer, path);
    show();
    return answer;
}

function refused({ status, problem }, path) {
    if (problem.code === "bad-csrf") return void signedInElsewhere();
    if (status === 401 && path !== "/session") return signedOut(problem.code);
    say(problem.code === "offline" ? strings.notAnswered : problemText(problem));
}

// The line

function showLines() {
    const { dns, anyDN } = session.current;
    const choices = dns.map(({ dn, kind, dial }) => ({ value: dn, words: listed(dn, strings.lineKinds[kind], dial) }));
    fillChoices(element("lines"), "line", choices);
    element("lines").hidden = dns.length === 0;
    element("otherLine").hidden = !anyDN;
    if (element("reasonDialog").open) element("reasonDialog").close("");
    document.title = `${strings.lineHeading}, ${strings.product}`;
    showView("lineView");
}

element("lineForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = element("lines").querySelector(":checked")?.value;
    const dn = element("otherLine").hidden ? chosen : element("number").value.trim() || chosen;
    if (!dn) return element("number").focus();
    const answer = await press("lineButton", "PUT", "/dn", { dn });
    if (answer?.body) take(answer.body);
});

element("changeLine").addEventListener("click", async () => {
    const answer = await press("changeLine", "DELETE", "/dn");
    if (answer && !answer.problem) take(null);
});

element("takeBack").addEventListener("click", async () => {
    const answer = await press("takeBack", "PUT", "/dn", { dn: state.dn.dn, takeBack: true });
    if (answer?.body) take(answer.body);
});

// Ready or not

async function setPresence(id, wish) {
    const answer = await press(id, "PUT", "/presence", wish);
    if (answer?.body) take(answer.body);
}

element("ready").addEventListener("click", () => setPresence("ready", { state: "ready" }));
element("wrapUp").addEventListener("click", () => setPresence("wrapUp", { state: "after-call-work" }));

element("notReady").addEventListener("click", () => {
    if (!isEnabled("notReady")) return;
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
    if (!element("keysOn").checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    // The desk has no field that one writes in.
    if (element("deskView").hidden || element("reasonDialog").open) return;
    const button = { r: "ready", n: "notReady" }[event.key.toLowerCase()];
    if (!button || element(button).hidden) return;
    event.preventDefault();
    element(button).focus();
    element(button).click();
});

// The beginning

onTick(() => {
    connection?.tick();
    if (trouble && state && elapsed() - troubledAt >= READABLE) say(null);
    checkHealth();
    show();
    if (state) showTimes(state, ahead, isCutOff);
});
fillTexts();
show();
const found = await start((problem) => {
    say(problemText(problem));
    show();
});
isStarting = false;
if (found) signedIn(found);
else signedOut(null);

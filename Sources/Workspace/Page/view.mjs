// State to page: texts and attributes, never markup.

import { strings } from "./strings.mjs";
import { secondsLeft } from "./connection.mjs";

/** The element with this id. */
export const element = (id) => document.getElementById(id);

/** A new element with texts and elements in it. */
export function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
}

/** Fills in the texts that never change. */
export function fillTexts() {
    for (const place of document.querySelectorAll("[data-text]")) place.textContent = strings[place.dataset.text];
}

/** Changes a text only where it differs, so that screen readers do not repeat it. */
export function write(id, text) {
    const place = element(id);
    if (place.textContent !== text) place.textContent = text;
    return place;
}

/** Shows a line of text, or hides it where there is none. */
export function writeLine(id, text) {
    write(id, text ?? "").hidden = !text;
}

/** A span as a clock: 0:07, 12:34, 1:02:03. Never negative. */
export function clock(milliseconds) {
    const all = Math.max(0, Math.floor(milliseconds / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(all / 3600);
    const minutes = Math.floor(all / 60) % 60;
    return hours > 0 ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

const views = ["signInView", "lineView", "deskView"];

/** Shows one of the views and puts the focus on its heading, unless it is shown already. */
export function showView(id) {
    if (!element(id).hidden) return;
    for (const each of views) element(each).hidden = each !== id;
    element(id).querySelector("h1").focus();
}

/** A group of radio buttons; the first one is chosen. */
export function fillChoices(place, name, choices) {
    place.replaceChildren(
        ...choices.map(({ value, words, isChosen }, index) => {
            const input = make("input", { type: "radio", name, value });
            input.checked = isChosen ?? index === 0;
            return make("label", {}, input, make("span", {}, words));
        }),
    );
}

/** The problem's own words where it is known, else the gateway's. */
export function problemText(problem) {
    return strings.problems[problem.code] ?? problem.detail ?? strings.problem;
}

// What the desk shows

/** The status that counts for the page: a line that is gone is out of service whatever its agent was. */
export function shownStatus(state) {
    if (state.link.state === "lost" || state.link.state === "superseded") return "out-of-service";
    return state.agent.status;
}

function statusWord(state, status) {
    const word = strings.statuses[status] ?? status;
    return status === "not-ready" && state.agent.reason ? strings.withReason(word, state.agent.reason) : word;
}

function callerName(call) {
    if (call.other === "anonymous") return strings.hiddenCaller;
    return call.other || strings.unknownParty;
}

function callItem(call) {
    const phase = call.phase === "talking" ? strings.talking : call.isCaller ? strings.calling : strings.ringing;
    const item = make(
        "li",
        { "data-status": call.phase === "talking" ? "busy" : "ringing" },
        make("p", { class: "other" }, callerName(call)),
    );
    if (call.routingPoint) item.append(make("p", { class: "quiet" }, strings.callFor(call.routingPoint)));
    const timer = make("span", { "class": "timer", "aria-hidden": "true", "data-since": String(call.since) });
    item.append(make("p", {}, `${phase} `, timer));
    return item;
}

/**
 * Shows a state.
 *
 * @param {object} state State of the interface.
 * @param {number} now The gateway's time, ms since 1970.
 */
export function showState(state, now) {
    const status = shownStatus(state);
    const word = statusWord(state, status);
    element("stateCard").dataset.status = status;
    write("stateWord", word);
    write("stateHint", strings.hints[status] ?? "");
    write("spoken", `${word}. ${strings.hints[status] ?? ""}`);
    document.title = `${word}, ${strings.product}`;

    const isOurs = state.link.state !== "superseded";
    const canAct = state.link.state === "live" && state.dn.service;
    for (const [id, isIt] of [
        ["ready", status === "ready"],
        ["notReady", status === "not-ready"],
        ["wrapUp", status === "after-call-work"],
    ]) {
        element(id).hidden = !isOurs;
        element(id).disabled = !canAct;
        element(id).setAttribute("aria-pressed", String(isIt));
    }
    element("takeBack").hidden = isOurs;

    write("lineName", strings.line(state.dn.dn));
    const kind = strings.lineKinds[state.dn.kind] ?? "";
    write("lineDetail", [kind, state.dn.dial, state.dn.dataCenter].filter(Boolean).join(" · "));

    const calls = state.calls.map(callItem);
    element("calls").replaceChildren(...calls);
    element("noCalls").hidden = calls.length > 0;
    showTimes(state, now);
}

/** Moves the clocks on. */
export function showTimes(state, now) {
    const spent = now - state.agent.since;
    const ends = state.agent.workEndsAt;
    const isEnding = shownStatus(state) === "after-call-work" && ends;
    write("stateTimer", isEnding ? strings.endsIn(clock(ends - now)) : clock(spent));
    write("stateSince", strings.since(spent));
    for (const timer of element("calls").querySelectorAll("[data-since]")) {
        timer.textContent = clock(now - Number(timer.dataset.since));
    }
}

/** What has to be said loudly of a state; null for nothing. */
export function alarmText(state) {
    if (state.link.state === "superseded") return strings.superseded;
    if (state.link.state === "lost") return strings.lineLost;
    if (!state.dn.service) {
        const why = strings.reasons[state.dn.reason];
        return why ? strings.lineOutBecause(why) : strings.lineLost;
    }
    const incoming = state.calls.find((call) => call.phase === "ringing" && !call.isCaller);
    return incoming ? strings.incoming(callerName(incoming)) : null;
}

/**
 * What is said of the connection.
 *
 * @returns {{health: string|null, tone: string, alarm: string|null, left: string|null}} `left` counts down and is not for
 * screen readers, which hear `health` once.
 */
export function connectionText(connection, isSeated, now) {
    const nothing = { health: null, tone: "", alarm: null, left: null };
    switch (connection.phase) {
        case "idle":
        case "ended":
            return nothing;
        case "live":
            return { ...nothing, health: strings.connected, tone: "good" };
        default: {
            const left = isSeated ? secondsLeft(connection, now) : null;
            if (left === 0) return { ...nothing, alarm: strings.lineOut };
            const isMoving = connection.phase === "moving" || connection.phase === "gone";
            const idle = isMoving ? strings.movingIdle : strings.reconnectingIdle;
            const first = connection.phase === "connecting" ? strings.connecting : idle;
            return {
                health: first,
                tone: "doubt",
                alarm: null,
                left: left === null ? null : isMoving ? strings.moving(left) : strings.reconnecting(left),
            };
        }
    }
}

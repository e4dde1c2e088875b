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
    for (const place of document.querySelectorAll("[data-label]")) place.ariaLabel = strings[place.dataset.label];
}

/** Changes a text only where it differs, so that screen readers do not repeat it. */
export function write(id, text) {
    const place = element(id);
    if (place.textContent !== text) place.textContent = text;
    return place;
}

/** Shows a line of text, or hides it where there is none. */
export function writeLine(id, text) {
    element(id).hidden = !text;
    write(id, text ?? "");
}

/** A button that can do nothing keeps the focus: whoever works by keyboard does not lose the place. */
export function setEnabled(id, isEnabled) {
    element(id).ariaDisabled = isEnabled ? null : "true";
}

export const isEnabled = (id) => element(id).ariaDisabled !== "true";

/** A span as a clock: 0:07, 12:34, 1:02:03. Never negative. */
export function clock(milliseconds) {
    const all = Math.max(0, Math.floor(milliseconds / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(all / 3600);
    const minutes = Math.floor(all / 60) % 60;
    return hours > 0 ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

/** The time of day of a moment, ms since 1970. */
export const timeOfDay = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Those of the texts that there are, in a row. */
export const listed = (...texts) => texts.filter(Boolean).join(" · ");

const views = ["signInView", "lineView", "tabView", "deskView"];

/** Shows one of the views and puts the focus where one begins to read or write, unless it is shown already. */
export function showView(id) {
    if (!element(id).hidden) return;
    for (const each of views) element(each).hidden = each !== id;
    element(id).querySelector(id === "signInView" ? "input" : "h1").focus();
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

/**
 * The line under the head, of which there is always one.
 *
 * @param {{health: string|null, tone: string, alarm: string|null, left: string|null}} words `left` counts down in place of
 * `health`, which screen readers hear once. The tone is one of connections, or how an alarm is meant: bad or told.
 * @param {boolean} isShownBelow The alarm says loudly what the page shows in large.
 */
export function showStrip({ health, tone, alarm, left }, isShownBelow = false) {
    const isAlarmed = Boolean(alarm) && !isShownBelow;
    writeLine("health", health);
    writeLine("left", left);
    writeLine("alarm", alarm);
    element("health").classList.toggle("unseen", isAlarmed || Boolean(left));
    element("left").classList.toggle("unseen", isAlarmed);
    element("alarm").classList.toggle("unseen", !isAlarmed);
    element("strip").dataset.tone = tone;
}

/** Offers other gateways, or none. */
export function showElsewhere(gateways, go) {
    const place = element("elsewhere");
    const names = gateways.map((each) => each.name).join();
    if (place.dataset.names === names) return;
    place.dataset.names = names;
    place.replaceChildren(
        ...gateways.map(({ name, url }) => {
            const button = make("button", { class: "plain", type: "button" }, strings.goOnAt(name));
            button.addEventListener("click", () => go(url));
            return button;
        }),
    );
    place.hidden = gateways.length === 0;
}

// What the desk shows

/** The status that counts for the page: a line that is gone is out of service whatever its agent was. */
export function shownStatus(state, isCutOff) {
    if (isCutOff || state.link.state === "lost" || state.link.state === "superseded") return "out-of-service";
    return state.agent.status;
}

function callerName(call) {
    if (call.other === "anonymous") return strings.hiddenCaller;
    return call.other || strings.unknownParty;
}

function callItem(call, ahead) {
    const phase = call.phase === "talking" ? strings.talking : call.isCaller ? strings.calling : strings.ringing;
    const since = strings.sinceTime(timeOfDay(call.since - ahead));
    return make(
        "li",
        { "data-status": call.phase === "talking" ? "busy" : "ringing" },
        make("p", { class: "other" }, callerName(call)),
        make("p", {}, `${phase} `, make("span", { "class": "timer", "aria-hidden": "true", "data-since": call.since })),
        make("p", { class: "quiet" }, listed(call.routingPoint && strings.callFor(call.routingPoint), since)),
    );
}

const inCall = new Set(["reserved", "ringing", "busy"]);

/** What the agent will be without the call: by the work mode that was asked for last. */
function wish({ status, workMode }) {
    if (!inCall.has(status)) return status;
    return workMode === "auto-in" || workMode === "manual-in" ? "ready" : "not-ready";
}

function hint(state, status) {
    if (status !== "busy") return strings.hints[status] ?? "";
    return wish(state.agent) === "ready" ? strings.hints.busy : strings.notReadyAfter;
}

/**
 * Shows a state.
 *
 * @param {object} state State of the interface.
 * @param {number} ahead How much later the gateway's clock is than ours, ms.
 * @param {boolean} isCutOff Nobody has said for longer than the line stays in service that it is as the state says.
 */
export function showState(state, ahead, isCutOff) {
    const status = shownStatus(state, isCutOff);
    const word = strings.statuses[status] ?? status;
    const reason = status === "not-ready" && state.agent.reason ? strings.because(state.agent.reason) : "";
    element("stateCard").dataset.status = status;
    if (element("stateWord").textContent !== word + reason) {
        element("stateWord").replaceChildren(word, make("span", { class: "reason" }, reason));
    }
    write("stateHint", hint(state, status));
    // What is said loudly is not said twice.
    write("spoken", isCutOff || alarmText(state) ? "" : `${word}${reason}. ${hint(state, status)}`);
    document.title = `${word}, ${strings.product}`;
    write("stateSince", status === state.agent.status ? strings.sinceTime(timeOfDay(state.agent.since - ahead)) : "");

    const isOurs = state.link.state !== "superseded";
    const wished = status === "out-of-service" ? null : wish(state.agent);
    for (const [id, isIt] of [
        ["ready", wished === "ready"],
        ["notReady", wished === "not-ready"],
        ["wrapUp", wished === "after-call-work"],
    ]) {
        element(id).hidden = !isOurs;
        element(id).ariaPressed = String(isIt);
    }
    element("takeBack").hidden = isOurs;

    write("lineName", strings.line(state.dn.dn));
    write("lineDetail", listed(strings.lineKinds[state.dn.kind], state.dn.dial, state.dn.dataCenter));

    const calls = isCutOff ? [] : state.calls.map((call) => callItem(call, ahead));
    element("calls").replaceChildren(...calls);
    element("noCalls").hidden = calls.length > 0;
    showTimes(state, ahead, isCutOff);
}

/** Which of the desk's buttons do something. */
export function showActions(state, isPossible) {
    const canAct = isPossible && state.link.state === "live" && state.dn.service;
    for (const id of ["ready", "notReady", "wrapUp"]) setEnabled(id, canAct);
    setEnabled("changeLine", isPossible && state.calls.length === 0);
    setEnabled("takeBack", isPossible);
}

/** Moves the clocks on. */
export function showTimes(state, ahead, isCutOff) {
    const now = Date.now() + ahead;
    const ends = state.agent.workEndsAt;
    const status = shownStatus(state, isCutOff);
    const spent = status === "after-call-work" && ends ? strings.endsIn(clock(ends - now)) : clock(now - state.agent.since);
    // Since when the page thinks otherwise than the agent nobody has said.
    write("stateTimer", status === state.agent.status ? spent : "");
    for (const timer of element("calls").querySelectorAll("[data-since]")) {
        timer.textContent = clock(now - Number(timer.dataset.since));
    }
}

/** The call that has to be answered. */
export const incomingCall = (state) => state.calls.find((call) => call.phase === "ringing" && !call.isCaller);

/** What has to be said loudly of a state; null for nothing. */
export function alarmText(state) {
    if (state.link.state === "superseded") return strings.superseded;
    if (state.link.state === "lost") return strings.lineLost;
    if (!state.dn.service) {
        const why = strings.reasons[state.dn.reason];
        return why ? strings.lineOutBecause(why) : strings.lineLost;
    }
    const incoming = incomingCall(state);
    return incoming ? strings.incoming(callerName(incoming)) : null;
}

/**
 * What is said of the connection.
 *
 * @param {object|null} connection The state of `reduce`; null before there is one.
 * @param {boolean} isSeated There is a line that could be lost.
 * @param {number} now Milliseconds of the page's clock.
 * @returns {object} For `showStrip`.
 */
export function connectionText(connection, isSeated, now) {
    const nothing = { health: null, tone: "", alarm: null, left: null };
    const doubt = { ...nothing, tone: "doubt" };
    switch (connection?.phase) {
        case undefined:
        case "idle":
        case "ended":
            return nothing;
        case "live":
            return { ...nothing, health: strings.connected, tone: "good" };
        default: {
            const left = isSeated ? secondsLeft(connection, now) : null;
            if (left === 0) return { ...nothing, tone: "bad", alarm: connection.isDeaf ? strings.deaf : strings.lineOut };
            const isMoving = connection.phase === "moving" || connection.phase === "gone";
            if (isMoving) {
                return { ...doubt, health: strings.movingIdle, left: left === null ? null : strings.moving(left) };
            }
            if (connection.phase === "connecting") return { ...doubt, health: strings.connecting };
            return { ...doubt, health: strings.reconnectingIdle, left: left === null ? null : strings.reconnecting(left) };
        }
    }
}

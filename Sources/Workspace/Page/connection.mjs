// Whether this page is connected, and what it does when it is not. `reduce` decides; it knows no clock, no network and no
// page. `Connection` does what it says.

import { elapsed } from "./clock.mjs";

/** Without a beat for so long the stream counts as dead, in ms; the gateway sends one every 2,000. */
export const SILENCE = 5_000;
/** How long the own gateway may refuse or be silent before others are asked, in ms. */
export const PATIENCE = 2_000;
/** How long a gateway has to answer a probe, in ms. */
export const PROBE = 2_000;
/** After this long without anybody, the round begins anew, in ms. */
export const ROUND = 1_000;

/** The ends of a stream after which it is opened again. */
const PASSING = new Set(["restarting", "too-slow"]);

/**
 * What a page begins with.
 *
 * @param {{graceMs: number, others: string[]}} setup How long a line stays in service without a page, in ms; the other
 * gateways' URLs, in the order in which they are tried.
 */
export function begin({ graceMs, others }) {
    return {
        phase: "idle",
        graceMs,
        others,
        /** When the gateway was heard last, in ms of the page's clock. */
        lastHeard: null,
        /** When the present trouble began. */
        since: null,
        /** Which of the others is asked; -1 is the own gateway. */
        probing: -1,
        /** When the next attempt is due; null while one is under way, or none is wanted. */
        due: null,
        /** When the present attempt began. */
        attempt: null,
        /** The own gateway is there and hears no node. */
        isDeaf: false,
        reason: null,
    };
}

/**
 * One step.
 *
 * Phases: idle → connecting → live → reconnecting → live | moving; moving → reconnecting | gone. Any → ended.
 *
 * @param {object} state From `begin` or an earlier step; it is not changed.
 * @param {{type: string}} event start, opened, heard, failed, end {reason}, tick, verified, refused {reason}, answered,
 * deaf, silent, stop
 * @param {{now: number, chance: number}} world Milliseconds of the page's clock; a number from 0 up to, without, 1.
 * @returns {{state: object, actions: {do: string}[]}} Actions: open, verify, close, probe {url}, move {url},
 * ended {reason}.
 * A stream that was lost is opened again only when the gateway knows the session: a stream cannot say why it is refused.
 */
export function reduce(state, event, world) {
    if (state.phase === "ended" || state.phase === "gone") return { state, actions: [] };
    switch (event.type) {
        case "start":
            return { state: { ...state, phase: "connecting", since: world.now, due: null }, actions: [{ do: "open" }] };
        case "opened":
        case "heard":
            return {
                state: {
                    ...state, phase: "live", lastHeard: world.now, since: null, probing: -1, due: null, isDeaf: false,
                },
                actions: [],
            };
        case "failed":
            return lost(state, world);
        case "end":
            return PASSING.has(event.reason) ? lost(state, world) : ended(state, event.reason);
        case "refused":
            return ended(state, event.reason);
        case "verified":
            if (state.phase !== "reconnecting") return { state, actions: [] };
            return { state: { ...state, attempt: world.now }, actions: [{ do: "open" }] };
        case "stop":
            return { state: { ...state, phase: "ended", reason: null }, actions: [{ do: "close" }] };
        case "answered":
            return answered(state, world);
        case "deaf":
            return silent({ ...state, isDeaf: true }, world);
        case "silent":
            return silent(state, world);
        case "tick":
            return tick(state, world);
        default:
            return { state, actions: [] };
    }
}

function ended(state, reason) {
    return { state: { ...state, phase: "ended", reason }, actions: [{ do: "close" }, { do: "ended", reason }] };
}

/** A stream ended or did not open: it is opened again in 300 to 800 ms, so that a thousand pages do not come at once. */
function lost(state, { now, chance }) {
    const since = state.since ?? now;
    const due = now + 300 + Math.floor(chance * 500);
    const phase = state.phase === "moving" ? "moving" : "reconnecting";
    return { state: { ...state, phase, since, due: phase === "moving" ? state.due : due }, actions: [{ do: "close" }] };
}

function tick(state, world) {
    const { now } = world;
    if (state.phase === "live") {
        return now - state.lastHeard >= SILENCE ? lost(state, world) : { state, actions: [] };
    }
    // A gateway that neither takes nor refuses an attempt is as good as none; the line has no time to lose.
    if (state.due === null) {
        if (state.phase === "connecting" && now - state.since >= SILENCE) return lost(state, world);
        if (state.phase !== "reconnecting" || now - state.attempt < PATIENCE) return { state, actions: [] };
        const { state: next, actions } = silent({ ...state, phase: "moving", probing: -1 }, world);
        return { state: next, actions: [{ do: "close" }, ...actions] };
    }
    if (now < state.due) return { state, actions: [] };
    if (now - state.since >= PATIENCE) {
        return {
            state: { ...state, phase: "moving", probing: -1, due: null },
            actions: [{ do: "close" }, { do: "probe", url: "" }],
        };
    }
    return { state: { ...state, due: null, attempt: now }, actions: [{ do: "verify" }] };
}

/** The gateway that was asked is there. */
function answered(state, { now }) {
    if (state.phase !== "moving") return { state, actions: [] };
    if (state.probing < 0) {
        // It is the own one: only the stream was lost.
        return {
            state: { ...state, phase: "reconnecting", since: now, due: null, attempt: now, isDeaf: false },
            actions: [{ do: "verify" }],
        };
    }
    return { state: { ...state, phase: "gone" }, actions: [{ do: "move", url: state.others[state.probing] }] };
}

/** The gateway that was asked is not there. */
function silent(state, { now, chance }) {
    if (state.phase !== "moving") return { state, actions: [] };
    const next = state.probing + 1;
    if (next < state.others.length) {
        return { state: { ...state, probing: next }, actions: [{ do: "probe", url: state.others[next] }] };
    }
    return { state: { ...state, probing: -1, due: now + ROUND + Math.floor(chance * 500) }, actions: [] };
}

/**
 * For how much longer the line certainly stays in service, in whole seconds, by the page's own clock; null while connected.
 */
export function secondsLeft(state, now) {
    if (state.phase === "live" || state.phase === "idle" || state.lastHeard === null) return null;
    return Math.max(0, Math.ceil((state.lastHeard + state.graceMs - now) / 1000));
}

/**
 * Does what `reduce` says: opens and closes the stream, asks gateways, keeps the time.
 */
export class Connection {
    /**
     * @param {object} setup
     * @param {string} setup.path The stream's path, without query.
     * @param {number} setup.graceMs
     * @param {string[]} setup.others
     * @param {() => Promise<{type: string}>} setup.verify Asks for the session: verified, refused {reason} or failed.
     * @param {(name: string, data: object) => void} setup.heard An event of the stream, but its end.
     * @param {() => void} setup.changed The connection may look different.
     * @param {(url: string) => void} setup.move Go on at this gateway.
     * @param {(reason: string) => void} setup.ended The gateway has ended the stream for good.
     */
    constructor(setup) {
        this.setup = setup;
        this.state = begin(setup);
        this.last = null;
        this.source = null;
        this.attempts = 0;
    }

    /** Opens the stream. */
    start() {
        this.step({ type: "start" });
    }

    /** To be called twice a second. */
    tick() {
        this.step({ type: "tick" });
    }

    /** Closes the stream for good. */
    stop() {
        this.step({ type: "stop" });
    }

    step(event) {
        const { state, actions } = reduce(this.state, event, { now: elapsed(), chance: Math.random() });
        this.state = state;
        for (const action of actions) this.act(action);
        this.setup.changed();
    }

    act(action) {
        switch (action.do) {
            case "open": return this.open();
            case "verify": return void this.verify();
            case "close": return this.close();
            case "probe": return void this.probe(action.url);
            case "move": return this.setup.move(action.url);
            case "ended": return this.setup.ended(action.reason);
        }
    }

    /** An answer that comes after the next question counts no more. */
    async verify() {
        const attempt = ++this.attempts;
        const event = await this.setup.verify();
        if (attempt === this.attempts && this.state.phase !== "live") this.step(event);
    }

    open() {
        this.close();
        const query = this.last === null ? "" : `?after=${encodeURIComponent(this.last)}`;
        const source = new EventSource(this.setup.path + query);
        this.source = source;
        source.onopen = () => this.step({ type: "opened" });
        source.onerror = () => this.step({ type: "failed" });
        source.addEventListener("end", (event) => this.step({ type: "end", reason: JSON.parse(event.data).reason }));
        for (const name of ["beat", "state", "notice", "renew", "agents-snapshot", "agents"]) {
            source.addEventListener(name, (event) => {
                if (event.lastEventId) this.last = event.lastEventId;
                this.step({ type: "heard" });
                this.setup.heard(name, JSON.parse(event.data));
            });
        }
    }

    close() {
        if (this.source === null) return;
        this.source.onopen = null;
        this.source.onerror = null;
        this.source.close();
        this.source = null;
    }

    /** The own gateway says whether it hears a node; of another one only that it is there can be known. */
    async probe(url) {
        const isOwn = url === "";
        try {
            const answer = await fetch(`${url}/healthz`, {
                mode: isOwn ? "same-origin" : "no-cors",
                credentials: "omit",
                cache: "no-store",
                signal: AbortSignal.timeout(PROBE),
            });
            this.step({ type: isOwn && !answer.ok ? "deaf" : "answered" });
        } catch {
            this.step({ type: "silent" });
        }
    }
}

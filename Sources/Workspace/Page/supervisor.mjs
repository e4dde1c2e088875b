// The supervisor's page: all agents, live, and why a number is as it is.

import { strings } from "./strings.mjs";
import { elapsed, onTick } from "./clock.mjs";
import { Connection } from "./connection.mjs";
import { ask, gateway, isTicketOld, leaveFor, otherGateways, renew, session, start, verify } from "./session.mjs";
import { clock, connectionText, element, fillTexts, make, problemText, showElsewhere, showStrip, write } from "./view.mjs";

/** The most rows that are shown: beyond it nobody reads, and browsers get slow. */
const MOST = 500;
/** How long something has to be wrong before other gateways are offered, in ms. */
const TROUBLE = 5_000;
/** How often the gateway is asked whether it hears a Stat Server, in ms. */
const ASKING = 10_000;

let connection = null;
let trouble = null;
let startedAt = elapsed();
let isStarting = true;
/** Rows by DN; `arriving` while a snapshot comes. */
let rows = new Map();
let arriving = null;
let isUnheard = false;
let askedAt = elapsed();
let ahead = 0;
let isDue = false;
/** The table's rows by DN, which are kept while they are shown. */
const shown = new Map();

function show() {
    const waiting = { health: strings.connecting, tone: "doubt", alarm: null, left: null };
    const words = isStarting ? waiting : connectionText(connection?.state, false, elapsed());
    const alarm = words.alarm ?? trouble ?? (isUnheard && words.tone === "good" ? strings.unheard : null);
    showStrip({ ...words, tone: alarm ? "bad" : words.tone, alarm });
    showElsewhere(isStarting && elapsed() - startedAt >= TROUBLE ? otherGateways() : [], leaveFor);
}

function heard(name, data) {
    if (name === "beat") {
        ahead = data.now - Date.now();
        if (isTicketOld()) keep();
    } else if (name === "agents-snapshot") {
        if (data.first) arriving = new Map();
        for (const row of data.rows) arriving?.set(row.dn, row);
        if (!data.last || arriving === null) return;
        rows = arriving;
        arriving = null;
        isUnheard = false;
        showSoon();
    } else if (name === "agents") {
        for (const row of data.rows) (arriving ?? rows).set(row.dn, row);
        showSoon();
    }
}

async function keep() {
    const event = await renew();
    if (event.type === "refused" || event.code === "bad-csrf") location.reload();
}

/** Whether what is shown is what is. */
async function checkSource() {
    if (elapsed() - askedAt < ASKING) return;
    askedAt = elapsed();
    const answer = await ask("GET", "/supervisor/agents?limit=1");
    if (answer.body) isUnheard = answer.body.unheard;
    show();
}

/** Once a quarter of a second is often enough. */
function showSoon() {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
        isDue = false;
        showRows();
    }, 250);
}

function fits(row) {
    const dataCenter = element("dataCenter").value;
    const status = element("status").value;
    const text = element("text").value.trim().toLowerCase();
    return (
        (!dataCenter || row.dataCenter === dataCenter) &&
        (!status || row.status === status) &&
        (!text || row.agent.toLowerCase().includes(text) || row.dn.toLowerCase().includes(text))
    );
}

const word = (status) => strings.statuses[status] ?? status;

function badge(status, text) {
    const sign = make("span", { "class": "sign", "aria-hidden": "true" });
    return make("span", { "class": "badge", "data-status": status }, sign, text);
}

function rowElement(row) {
    const kept = shown.get(row.dn);
    if (kept?.row === row) return kept.element;
    const made = make(
        "tr",
        { "data-dn": row.dn },
        make("th", { scope: "row" }, row.agent),
        make("td", {}, row.dn),
        make("td", {}, badge(row.status, word(row.status))),
        make("td", { class: "for" }),
        make("td", {}, [row.dataCenter, row.location].filter(Boolean).join(", ")),
        make("td", { class: "why" }, row.service ? "" : (strings.reasons[row.reason] ?? "")),
    );
    shown.set(row.dn, { row, element: made });
    return made;
}

function showRows() {
    const all = [...rows.values()];
    const found = all.filter(fits).sort((a, b) => a.agent.localeCompare(b.agent) || a.dn.localeCompare(b.dn));
    const first = found.slice(0, MOST);
    const kept = new Set(first.map((row) => row.dn));
    for (const dn of shown.keys()) if (!kept.has(dn)) shown.delete(dn);
    element("rows").replaceChildren(...first.map(rowElement));
    const told = found.length === 0 ? strings.noAgents : strings.shown(found.length, all.length);
    write("shown", found.length > MOST ? `${told}. ${strings.more(MOST)}` : told);
    showCounts(all);
    showTimes();
}

function showTimes() {
    for (const { row, element: made } of shown.values()) {
        const text = row.since ? clock(Date.now() + ahead - row.since) : "";
        const place = made.querySelector(".for");
        if (place.textContent !== text) place.textContent = text;
    }
}

function showCounts(all) {
    const counts = new Map();
    for (const row of all) {
        const of = counts.get(row.dataCenter) ?? new Map();
        of.set(row.status, (of.get(row.status) ?? 0) + 1);
        counts.set(row.dataCenter, of);
        offerDataCenter(row.dataCenter);
    }
    const order = Object.keys(strings.statuses);
    const items = [...counts].sort().map(([dataCenter, of]) => {
        const sorted = [...of].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
        const badges = sorted.map(([status, count]) => badge(status, strings.count(word(status), count)));
        return make("li", {}, make("strong", {}, dataCenter || strings.noDataCenter), ...badges);
    });
    element("counts").replaceChildren(...items);
}

/** Of those without a gateway only agents tell. */
function offerDataCenter(name) {
    const choice = element("dataCenter");
    if (!name || [...choice.options].some((option) => option.value === name)) return;
    choice.append(make("option", { value: name }, name));
}

element("filterForm").addEventListener("submit", (event) => event.preventDefault());
element("filterForm").addEventListener("input", showSoon);

element("explainForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await ask("GET", `/supervisor/dns/${encodeURIComponent(element("number").value.trim())}`);
    if (answer.problem) {
        const { code } = answer.problem;
        return void write("explanation", code === "offline" ? strings.notAnswered : problemText(answer.problem));
    }
    const { dn, service, owner, dataCenter, why } = answer.body;
    const parts = [service ? strings.inService(dn) : strings.outOfService(dn), why];
    if (owner) parts.push(strings.ownedBy(owner, dataCenter));
    write("explanation", parts.filter(Boolean).join(" "));
});

function begin(found) {
    isStarting = false;
    trouble = found ? (found.supervisor ? null : strings.problems["not-supervisor"]) : strings.problems["no-session"];
    write("who", found ? `${found.agent} · ${gateway().gateway}` : gateway().gateway);
    if (trouble) return show();
    for (const { dataCenter } of gateway().gateways) offerDataCenter(dataCenter);
    const statuses = Object.entries(strings.statuses);
    element("status").append(...statuses.map(([value, words]) => make("option", { value }, words)));
    element("columns").replaceChildren(...strings.columns.map((words) => make("th", { scope: "col" }, words)));
    element("agentsView").hidden = false;
    element("explainView").hidden = false;
    element("supervisorHeading").focus();
    connection = new Connection({
        path: "/api/v1/supervisor/events",
        graceMs: gateway().desktopGraceMs,
        others: otherGateways().map((each) => each.url),
        verify: async () => {
            const event = await verify();
            // Somebody else has signed in in this browser.
            if (event.type === "verified" && !session.current.supervisor) location.reload();
            return event;
        },
        heard,
        changed: show,
        move: leaveFor,
        ended: (reason) => {
            const why = strings.endings[reason] ?? strings.endings["logged-out"];
            trouble = reason === "too-many-tabs" ? strings.tooManyTabs : why;
            // What is shown would be old.
            element("agentsView").hidden = true;
            element("explainView").hidden = true;
            session.clear();
            show();
        },
    });
    connection.start();
}

onTick(() => {
    connection?.tick();
    show();
    if (connection?.state.phase !== "live") return;
    showTimes();
    checkSource();
});
fillTexts();
show();
begin(
    await start((problem) => {
        trouble = problemText(problem);
        show();
    }),
);

// The page's time. Browsers let the timers of a tab that nobody looks at run once a minute, which would cost it its line:
// those of a worker go on.

const policy = globalThis.trustedTypes?.createPolicy("clock", { createScriptURL: (path) => path });
const path = "/ticks.mjs";
const worker = new Worker(policy?.createScriptURL(path) ?? path, { type: "module" });

let monotonic = performance.now();
let wall = Date.now();
let time = 0;

/** Milliseconds since the page was there. A computer that slept counts them only by the clock on the wall. */
export function elapsed() {
    const [formerly, formerWall] = [monotonic, wall];
    [monotonic, wall] = [performance.now(), Date.now()];
    time += Math.max(monotonic - formerly, wall - formerWall);
    return time;
}

/** Calls a function twice a second, or more often. */
export function onTick(each) {
    worker.addEventListener("message", each);
    // Should the worker not have come.
    setInterval(each, 500);
}

/** @returns {Promise<void>} After so many milliseconds, or a little more. */
export function wait(milliseconds) {
    const end = elapsed() + milliseconds;
    return new Promise((done) => {
        const look = () => {
            if (elapsed() < end) return;
            worker.removeEventListener("message", look);
            done();
        };
        worker.addEventListener("message", look);
        setTimeout(done, milliseconds);
    });
}

// Traces of Chromium: what became of the frames while something was scrolled.

/** Between two frames, in µs: Chromium without a screen has 60 a second. */
const beat = 1e6 / 60;

/** Scrolls an element down (or up, where speed is negative) by a wheel that turns evenly for three seconds; speed
 * is in pixels a second. Says how many of the frames that there could be from the first movement to the last were
 * presented, and for how long the page has worked on each. */
export async function scrolled(page, selector, speed) {
  await page.bringToFront();
  const { x, y, width, height } = await page.locator(selector).boundingBox();
  await page.locator(selector).evaluate((e) => e.addEventListener('scroll', () => performance.mark('scrolled')));
  const cdp = await page.context().newCDPSession(page);
  const events = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['cc', 'benchmark', 'blink.user_timing'] },
  });
  await cdp.send('Input.synthesizeScrollGesture', {
    x: Math.round(x + width / 2),
    y: Math.round(y + height / 2),
    yDistance: -3 * speed,
    speed: Math.abs(speed),
    gestureSourceType: 'mouse',
  });
  const complete = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
  await cdp.send('Tracing.end');
  await complete;
  await cdp.detach();
  return inWords(events);
}

function inWords(events) {
  const named = (name) => events.filter((e) => e.name === name);
  const moved = named('scrolled').map((e) => e.ts);
  const [from, to] = [Math.min(...moved), Math.max(...moved)];
  const times = presented(named('PipelineReporter')).filter((ts) => ts >= from && ts <= to + beat);
  const work = named('ProxyMain::BeginMainFrame').filter((e) => e.ph === 'X' && e.ts >= from && e.ts <= to);
  const mean = work.reduce((sum, e) => sum + e.dur / 1000, 0) / work.length;
  const possible = Math.round((to - from) / beat) + 1;
  const longest = Math.max(...times.slice(1).map((ts, i) => (ts - times[i]) / 1000));
  return `${times.length} of ${possible} frames presented, ${longest.toFixed(0)} ms between two at most, ${mean.toFixed(1)} ms of work for each`;
}

/** When frames were presented. A frame of the compositor and one of the page may be presented as one. */
function presented(reports) {
  const [begun, ends] = [new Map(), []];
  for (const { ph, ts, id2, id, args } of reports) {
    const key = id2?.local ?? id;
    if (ph === 'b') begun.set(key, (args.chrome_frame_reporter ?? args.frame_reporter)?.state);
    else if (ph === 'e' && /^STATE_PRESENTED/.test(begun.get(key))) ends.push(ts);
  }
  ends.sort((a, b) => a - b);
  return ends.filter((ts, i) => i === 0 || ts - ends[i - 1] > beat / 2);
}

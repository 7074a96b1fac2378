// Traces of Chromium: what became of the frames while something was going on.

/** Runs f, and says in words how many frames were presented and how many came too late, and for how long the page
 * has worked on each. Frames for which there was nothing to show are not counted. */
export async function traced(page, f) {
  const cdp = await page.context().newCDPSession(page);
  const [states, work] = [{}, []];
  const take = {
    PipelineReporter: (e) => {
      const { state } = e.args?.chrome_frame_reporter ?? e.args?.frame_reporter ?? {};
      if (state) states[state] = (states[state] ?? 0) + 1;
    },
    'ProxyMain::BeginMainFrame': (e) => e.ph === 'X' && work.push(e.dur / 1000),
  };
  cdp.on('Tracing.dataCollected', ({ value }) => value.forEach((e) => take[e.name]?.(e)));
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['cc', 'benchmark'] } });
  await f();
  const complete = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
  await cdp.send('Tracing.end');
  await complete;
  await cdp.detach();
  const presented = (states.STATE_PRESENTED_ALL ?? 0) + (states.STATE_PRESENTED_PARTIAL ?? 0);
  const mean = work.reduce((a, b) => a + b, 0) / work.length;
  return `${presented} presented, ${states.STATE_DROPPED ?? 0} too late, ${mean.toFixed(1)} ms of work for each (trace)`;
}

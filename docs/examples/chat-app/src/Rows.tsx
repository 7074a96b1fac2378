import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type Key, type ReactNode } from 'react';

type Props = {
  label: string;
  count: number;
  /** About how high a row is, until it is measured. */
  height: number;
  /** The same function until a key is another one: with a new one all rows are measured again. */
  keyOf: (index: number) => Key;
  row: (index: number) => ReactNode;
  /** The newest row is at the end: the list begins there, stays there, and moves there when this changes. */
  newest?: Key;
};

/** A list of which only the rows in view are in the page, however long it is. Who cannot see it is told how long it
 * is by aria-setsize; what is new is said elsewhere, as a row that scrolls into view is not. */
export function Rows({ label, count, height, keyOf, row, newest }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const atEnd = newest !== undefined;
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    getItemKey: keyOf,
    overscan: 8,
    anchorTo: atEnd ? 'end' : 'start',
    followOnAppend: atEnd,
  });
  const some = count > 0;
  useEffect(() => {
    if (atEnd && some) rows.scrollToEnd();
  }, [rows, atEnd, some, newest]);
  return (
    <div className="rows" ref={scroll} tabIndex={0} role={atEnd ? 'log' : 'group'} aria-live="off" aria-label={label}>
      <ul style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((r) => (
          <li
            key={r.key}
            ref={rows.measureElement}
            data-index={r.index}
            aria-setsize={count}
            aria-posinset={r.index + 1}
            style={{ transform: `translateY(${r.start}px)` }}
          >
            {row(r.index)}
          </li>
        ))}
      </ul>
    </div>
  );
}

import { PerchProvider, useConnection, usePerch } from '@perch-im/react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { clientFor, forget, onForgotten, savedToken, signOut } from './account';
import { Banner } from './Banner';
import { Chat } from './Chat';
import { Join } from './Join';
import { List } from './List';
import { SignIn } from './SignIn';

export function App() {
  const [token, setToken] = useState(savedToken);
  const [notice, setNotice] = useState('');
  const perch = useMemo(() => (token ? clientFor(token) : null), [token]);
  const leave = (why: string) => {
    forget();
    setNotice(why);
    setToken(null);
  };
  if (!perch) return <SignIn notice={notice} signedIn={setToken} />;
  return (
    <PerchProvider perch={perch} connect>
      <Account leave={leave} />
    </PerchProvider>
  );
}

function Account({ leave }: { leave: (why: string) => void }) {
  const perch = usePerch();
  const [open, setOpen] = useState('');
  const list = useRef<HTMLElement>(null);
  const before = useRef(open);
  const { state, code } = useConnection();
  const ended = state === 'stopped' && (code === 4001 || code === 4004); // the token, or the session
  useEffect(() => {
    if (ended) leave('You were signed out.');
    return onForgotten(() => leave('You were signed out.'));
  }, [ended, leave]);
  useEffect(() => {
    if (state === 'live') void perch.loadConversations().catch(() => {}); // from then on it is kept up to date
  }, [perch, state]);
  useEffect(() => {
    if (before.current && !open) list.current?.focus(); // whoever goes by keyboard goes on in the list
    before.current = open;
  }, [open]);
  return (
    <main className={open ? 'chatting' : ''}>
      <Banner />
      <nav aria-label="Chats" ref={list} tabIndex={-1}>
        <List open={open} show={setOpen} />
        <Join joined={setOpen} />
        <button onClick={() => void signOut(perch).finally(() => leave(''))}>Sign out</button>
      </nav>
      {open ? <Chat key={open} jid={open} close={() => setOpen('')} /> : <p className="empty">Choose a chat.</p>}
    </main>
  );
}

// The column at the side: oneself, requests, the search field, and below it people or conversations.

import { useState } from 'preact/hooks';
import { byName, matches } from '../xmpp/presence.js';
import { AddContact } from './add.jsx';
import { go, useModel, useNow } from './hooks.js';
import * as Icons from './icons.jsx';
import { ChatList, PeopleList } from './lists.jsx';
import { Menu } from './menu.jsx';
import { OwnStatus } from './own-status.jsx';
import { Requests } from './requests.jsx';

export function Side({ office, open, onHelp }) {
  const { roster, chats } = office;
  useModel(roster);
  useModel(chats);
  const now = useNow();
  const [tab, setTab] = useState('people');
  const [query, setQuery] = useState('');
  const [adding, setAdding] = useState(false);

  const found = query.trim() ? [...roster.people.values()].filter((person) => matches(person, query.trim())) : [...roster.people.values()];
  const first = (event) => {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      document.querySelector('.list .row')?.focus();
    } else if (event.key === 'Enter' && found.length && tab === 'people') {
      setQuery('');
      go(found.toSorted(byName)[0].jid);
    } else if (event.key === 'Escape' && query) {
      event.preventDefault();
      event.stopPropagation();
      setQuery('');
    }
  };

  // One of them is on the way of the Tab key, the arrow keys go to the other.
  const turn = (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    const other = tab === 'people' ? 'chats' : 'people';
    setTab(other);
    document.getElementById(`${other}-tab`).focus();
  };

  return (
    <nav class="side" aria-label="People and conversations">
      <header class="me">
        <OwnStatus office={office} />
        <button class="round only-narrow" aria-label="Board" onClick={() => go('#board')}><Icons.Board /></button>
        <Menu office={office} onHelp={onHelp} />
      </header>
      <div class="finder">
        <label class="search">
          <Icons.Search />
          <span class="unseen">Search people</span>
          <input id="search" data-testid="search" type="search" placeholder="Search people" autoComplete="off" spellcheck={false} value={query}
            onInput={({ target }) => { setQuery(target.value); setTab('people'); }} onKeyDown={first} />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <button class="round" aria-label="Add a contact" title="Add a contact" data-testid="add-contact" onClick={() => setAdding(true)}><Icons.Add /></button>
      </div>
      <Requests roster={roster} />
      <div class="tabs" role="tablist" aria-label="Show" onKeyDown={turn}>
        <button role="tab" id="people-tab" aria-selected={tab === 'people'} tabIndex={tab === 'people' ? 0 : -1} aria-controls="list" data-testid="tab-people" onClick={() => setTab('people')}><Icons.People /> People</button>
        <button role="tab" id="chats-tab" aria-selected={tab === 'chats'} tabIndex={tab === 'chats' ? 0 : -1} aria-controls="list" data-testid="tab-chats" onClick={() => setTab('chats')}>
          <Icons.Bubble /> Chats {chats.unread > 0 && <span class="badge"><span data-testid="unread-all">{chats.unread}</span><span class="unseen"> unread</span></span>}
        </button>
      </div>
      <div class="list" id="list" role="tabpanel" aria-labelledby={`${tab}-tab`}>
        {tab === 'people'
          ? <PeopleList people={found} roster={roster} chats={chats} open={open} now={now} query={query.trim()} onAdd={() => setAdding(true)} />
          : <ChatList roster={roster} chats={chats} open={open} now={now} onPeople={() => setTab('people')} />}
      </div>
      {adding && <AddContact office={office} onClose={() => setAdding(false)} />}
    </nav>
  );
}

// What kind of device a resource is: desktop, browser, mobile, deskphone, bot or other. Clients say so in service discovery (XEP-0030), and name what they say in
// their presence by a hash (XEP-0115), so one question a kind of client is enough. A SIP phone appears as resource `sip-` and 8 hex digits.
//
// The other direction is here too: what this client says about itself.

import { sha1 } from '../sha1.js';
import { NS, child, children, down, stx } from './stanza.js';

const NODE = 'https://adsum.example/web';
const IDENTITY = { category: 'client', type: 'web', name: 'Adsum' };
const FEATURES = [NS.avatarMetadata + '+notify', NS.caps, NS.correct, NS.discoInfo, NS.markers, NS.ping, NS.receipts, NS.states].sort();

/** The hash of an answer to disco#info (XEP-0115 §5.1) that has no forms. */
export function hash(identities, features) {
  const said = identities.map(({ category, type, lang = '', name = '' }) => `${category}/${type}/${lang}/${name}<`).sort();
  return sha1([...said, ...[...features].sort().map((feature) => `${feature}<`)].join(''), 'base64');
}

const OURS = hash([IDENTITY], FEATURES);

/** The element for our own presence. */
export const caps = () => stx`<c xmlns="${NS.caps}" hash="sha-1" node="${NODE}" ver="${OURS}"/>`;

/** The answer to who asks what we are. */
export function describe(iq) {
  const asked = child(iq, 'query', NS.discoInfo)?.getAttribute('node') ?? '';
  const features = FEATURES.map((feature) => stx`<feature var="${feature}"/>`);
  return stx`<iq xmlns="jabber:client" type="result" id="${iq.getAttribute('id')}" to="${iq.getAttribute('from')}">
    <query xmlns="${NS.discoInfo}" node="${asked || `${NODE}#${OURS}`}">
      <identity category="client" type="web" name="Adsum"/>${features}
    </query></iq>`;
}

const KINDS = { pc: 'desktop', web: 'browser', phone: 'mobile', handheld: 'mobile', bot: 'bot', console: 'desktop', game: 'other', sms: 'mobile' };

/** The kind by the name of the resource alone, as far as that can be told. */
export function kindByName(resource) {
  if (/^sip-[0-9a-f]{8}$/.test(resource)) return 'deskphone';
  if (/\b(web|browser|converse|firefox|chrome)/i.test(resource)) return 'browser';
  if (/(phone|mobile|android|ios|conversations|siskin|monal|pocket)/i.test(resource)) return 'mobile';
  return '';
}

/** The kind by identities out of service discovery. */
export function kindByIdentities(identities) {
  const client = identities.find(({ category }) => category === 'client');
  return client ? (KINDS[client.type] ?? 'desktop') : '';
}

/** Finds out and remembers. `learned` is called when the kind of a resource became known later. */
export class Devices {
  #known = new Map([[`${NODE}#${OURS}`, 'browser']]); // node#hash → kind, '' while it is asked for

  constructor(connection, learned) {
    this.connection = connection;
    this.learned = learned;
  }

  /** The kind of who sent this presence, as far as it is known by now. */
  kind(presence, resource) {
    const byName = kindByName(resource);
    const said = child(presence, 'c', NS.caps);
    if (byName === 'deskphone' || !said) return byName || 'desktop';
    const node = `${said.getAttribute('node')}#${said.getAttribute('ver')}`;
    if (!this.#known.has(node)) this.#ask(presence.getAttribute('from'), node);
    return this.#known.get(node) || byName || 'desktop';
  }

  async #ask(jid, node) {
    this.#known.set(node, '');
    try {
      const answer = await this.connection.request((id) => stx`<iq xmlns="jabber:client" type="get" id="${id}" to="${jid}"><query xmlns="${NS.discoInfo}" node="${node}"/></iq>`);
      const identities = children(down(answer, ['query', NS.discoInfo]), 'identity');
      this.#known.set(node, kindByIdentities(identities.map((one) => ({ category: one.getAttribute('category'), type: one.getAttribute('type') }))));
      this.learned(node);
    } catch {
      this.#known.delete(node); // whoever has it next is asked
    }
  }

  /** What is known of a node, for `learned`. */
  ofNode(node) {
    return this.#known.get(node);
  }
}

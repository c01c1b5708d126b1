// Icons, drawn for this page: strokes of one width on a grid of 24.

const Icon = ({ children, label, class: name = '' }) => (
  <svg class={`icon ${name}`} viewBox="0 0 24 24" role={label ? 'img' : undefined} aria-label={label} aria-hidden={label ? undefined : 'true'}>
    {label && <title>{label}</title>}
    {children}
  </svg>
);

export const DEVICES = { desktop: 'At a computer', browser: 'In a browser', mobile: 'On a mobile', deskphone: 'At a desk phone', bot: 'A program', other: 'Connected' };

const SHAPES = {
  desktop: <path d="M4 5h16v10.5H4zM9.5 19h5M12 15.5V19" />,
  browser: <path d="M4 5.5h16v13H4zM4 9.5h16M6.8 7.5h.01M9.3 7.5h.01" />,
  mobile: <path d="M8 3.5h8v17H8zM11 17.7h2" />,
  deskphone: <path d="M5 4.5h3.4l1.8 4.3-2.2 1.6a11.5 11.5 0 0 0 5.6 5.6l1.6-2.2 4.3 1.8V19a1.5 1.5 0 0 1-1.6 1.5C10.5 20 4 13.5 3.5 6.1A1.5 1.5 0 0 1 5 4.5z" />,
  bot: <path d="M5 9h14v10H5zM12 9V5M9.3 13.5h.01M14.7 13.5h.01M10 16.5h4" />,
  other: <path d="M12 12h.01M8.5 8.5a5 5 0 0 0 0 7M15.5 8.5a5 5 0 0 1 0 7M6 6a8.5 8.5 0 0 0 0 12M18 6a8.5 8.5 0 0 1 0 12" />,
};

/** The icon of a kind of device. */
export const Device = ({ kind }) => (
  <Icon class="device" label={DEVICES[kind]}>
    {SHAPES[kind] ?? SHAPES.other}
  </Icon>
);

/** Presence has a shape as well as a colour: a disc, a clock, a bar, a ring. */
export const Dot = ({ show, class: name = '' }) => (
  <svg class={`dot ${name}`} data-show={show} viewBox="0 0 16 16" aria-hidden="true">
    <circle class="disc" cx="8" cy="8" r="6.5" />
    {(show === 'away' || show === 'xa') && <path class="mark" d="M8 4.7V8.3L10.4 9.7" />}
    {show === 'dnd' && <path class="mark" d="M5 8h6" />}
    {show === 'chat' && <path class="mark" d="M8 5.3v5.4M5.3 8h5.4" />}
  </svg>
);

export const Search = () => <Icon><path d="M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20" /></Icon>;
export const Add = () => <Icon><path d="M10 12a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4zM3.5 19.5c.5-3.5 3-5.3 6.5-5.3s6 1.8 6.5 5.3M18.5 7.5v6M15.5 10.5h6" /></Icon>;
export const More = () => <Icon><path class="bold" d="M6 12h.01M12 12h.01M18 12h.01" /></Icon>;
export const Back = () => <Icon><path d="M14.5 5.5 8 12l6.5 6.5" /></Icon>;
export const Send = () => <Icon><path d="M5 12h13M12.5 6.5 18 12l-5.5 5.5" /></Icon>;
export const Close = () => <Icon><path d="m6.5 6.5 11 11M17.5 6.5l-11 11" /></Icon>;
export const Check = () => <Icon><path d="m5.5 12.5 4.5 4.5 8.5-9.5" /></Icon>;
export const Sun = () => <Icon><path d="M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1" /></Icon>;
export const Moon = () => <Icon><path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z" /></Icon>;
export const Half = () => <Icon><path d="M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16" /><path class="solid" d="M12 4a8 8 0 0 0 0 16z" /></Icon>;
export const Leave = () => <Icon><path d="M13.5 4.5H5.5v15h8M10 12h10M16.5 8.5 20 12l-3.5 3.5" /></Icon>;
export const Keys = () => <Icon><path d="M3.5 7h17v10h-17zM7 10.5h.01M10.3 10.5h.01M13.7 10.5h.01M17 10.5h.01M8 14h8" /></Icon>;
export const Screen = () => <Icon><path d="M9 4.5H4.5V9M15 4.5h4.5V9M9 19.5H4.5V15M15 19.5h4.5V15" /></Icon>;
export const Board = () => <Icon><path d="M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z" /></Icon>;
export const Bubble = () => <Icon><path d="M4.5 5.5h15v10.5h-8L7 19.5V16H4.5z" /></Icon>;
export const People = () => <Icon><path d="M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.8 19c.5-3.3 2.9-5 6.2-5s5.7 1.7 6.2 5M16 11.3a3.2 3.2 0 0 0 0-6.2M17.5 14.3c2 .5 3.3 2.1 3.7 4.7" /></Icon>;
export const Pin = () => <Icon><path d="M12 14.5V20M8 4.5h8l-1 5.5 2.5 2.5v2h-11v-2L9 10z" /></Icon>;
export const Remove = () => <Icon><path d="M10 12a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4zM3.5 19.5c.5-3.5 3-5.3 6.5-5.3s6 1.8 6.5 5.3M15.5 10.5h6" /></Icon>;

/** How far a message of ours has come. */
export function Progress({ status }) {
  const label = { waiting: 'Waiting to be sent', sent: 'Sent', received: 'Received', displayed: 'Seen', failed: 'Not delivered' }[status];
  const shape = {
    waiting: <path d="M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 5v3.3l2 1.2" />,
    sent: <path d="m3.5 8.5 3 3 6-7" />,
    received: <path d="m1 8.5 3 3 6-7M7.5 11l.5.5 6-7" />,
    displayed: <path d="m1 8.5 3 3 6-7M7.5 11l.5.5 6-7" />,
    failed: <path d="M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.5V9M8 11.5h.01" />,
  }[status];
  return (
    <svg class="progress" data-status={status} viewBox="0 0 16 16" role="img" aria-label={label}>
      <title>{label}</title>
      {shape}
    </svg>
  );
}

// The start: an office (xmpp/office.js), and the screen that shows it.

import { render } from 'preact';
import { App } from './ui/app.jsx';
import { startTheme } from './ui/theme.js';
import { Office } from './xmpp/office.js';

startTheme();
const office = new Office();
office.restore();
render(<App office={office} />, document.getElementById('app'));

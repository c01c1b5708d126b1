// What components share.

import { Component } from 'preact';
import { useEffect, useReducer, useState } from 'preact/hooks';

/** Draws the component again whenever the model has changed. */
export function useModel(model, event = 'change') {
  const [, again] = useReducer((count) => count + 1, 0);
  useEffect(() => model.on(event, again), [model, event]);
  return model;
}

/** The time in ms, told anew every so often: idle times grow by themselves. */
export function useNow(every = 20_000) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Where in the page we are, kept in the address so that a reload stays there and a phone's back button goes back: '' (the board) or the address of somebody. */
export function usePlace() {
  const [place, set] = useState(here());
  useEffect(() => {
    const moved = () => set(here());
    window.addEventListener('hashchange', moved);
    return () => window.removeEventListener('hashchange', moved);
  }, []);
  return [place, go];
}

const here = () => decodeURIComponent(location.hash.match(/^#chat=(.+)$/)?.[1] ?? (location.hash === '#board' ? '#board' : ''));

export function go(place) {
  location.hash = place && place !== '#board' ? `chat=${encodeURIComponent(place)}` : place;
}

/** A component that is drawn anew only when one of its properties is another: an office has hundreds of rows, and one changes. */
export function still(draw) {
  return class Still extends Component {
    shouldComponentUpdate(next) {
      return Object.keys(next).some((key) => next[key] !== this.props[key]);
    }

    render(props) {
      return draw(props);
    }
  };
}

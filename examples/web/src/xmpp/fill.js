// What is answered to a form: pure, so that it can be tested without a browser.

/**
 * The fields to submit, [{ name, values }]: hidden ones as they came, the answers where there are some, else what the form proposes. An answer that a
 * list does not offer is an error, as is a required field without one; answers to fields that the form does not have are left out.
 */
export function fill(fields, answers) {
  return fields
    .filter(({ name, type }) => name && type !== 'fixed')
    .map((field) => {
      const values = field.type === 'hidden' ? field.values : valuesOf(field, answers[field.name]);
      if (field.required && !values.some(Boolean)) throw new Error(`The form wants “${field.name}”.`);
      return { name: field.name, values };
    })
    .filter(({ values }) => values.length);
}

function valuesOf({ name, type, values, options }, answer) {
  if (answer === undefined || answer === null) return values;
  if (type === 'boolean') return [answer ? '1' : '0'];
  const given = (Array.isArray(answer) ? answer : [answer]).map(String).filter((value) => value !== '');
  const unknown = type.startsWith('list-') && options.length ? given.find((value) => !options.includes(value)) : undefined;
  if (unknown !== undefined) throw new Error(`The form does not offer “${unknown}” for “${name}”.`);
  return given;
}

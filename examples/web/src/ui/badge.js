// How many messages are unread, in the title and on the icon of the tab.

let drawn = 0;

export function badge(count) {
  document.title = count ? `(${count}) Adsum` : 'Adsum';
  if (count === drawn) return;
  drawn = count;
  const link = document.querySelector('link[rel="icon"]');
  if (!count) {
    link.href = 'icon.svg';
    return;
  }
  const image = new Image();
  image.onload = () => {
    if (count !== drawn) return;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, 64, 64);
    context.fillStyle = '#e5484d';
    context.beginPath();
    context.arc(45, 19, 19, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = '#fff';
    context.font = `700 ${count > 9 ? 21 : 27}px sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(count > 99 ? '99' : String(count), 45, 21);
    link.href = canvas.toDataURL('image/png');
  };
  image.src = 'icon.svg';
}

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import './styles/base.css';
import './styles/parts.css';
import './styles/pages.css';
import './styles/drawer.css';

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
